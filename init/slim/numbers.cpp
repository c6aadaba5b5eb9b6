// Floating-point numbers in scanf(3) and printf(3) of the C libraries, by what the program has anyway: strtod and fmt.
// glibc's own bring four parsers and a multi-precision printer (55 KB) for types that are never used here: long double
// is read and written with the precision of double. Replaces strtof.o, strtold.o, strtof128.o, printf_fp.o.
#include <fmt/format.h>
#include <printf.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" {

float __strtof_internal(const char*, char**, int);
long double __strtold_internal(const char*, char**, int);
_Float128 __strtof128_internal(const char*, char**, int);
int __printf_fp(FILE*, const printf_info*, const void* const*) noexcept;

float __strtof_internal(const char* text, char** end, int) { return static_cast<float>(std::strtod(text, end)); }
long double __strtold_internal(const char* text, char** end, int) { return std::strtod(text, end); }
long double strtold(const char* text, char** end) noexcept { return std::strtod(text, end); }
// scanf calls this where long double is a __float128, which it is not on x86-64
_Float128 __strtof128_internal(const char* text, char** end, int) { return std::strtod(text, end); }

// What vfprintf calls for %e, %f and %g; like it, returns the count of characters or -1.
int __printf_fp(FILE* to, const printf_info* info, const void* const* arguments) noexcept {
    const double number = info->is_long_double
                              ? static_cast<double>(**reinterpret_cast<const long double* const*>(arguments))
                              : **reinterpret_cast<const double* const*>(arguments);
    const std::string pattern = std::string(info->alt ? "{:#.{}" : "{:.{}") + static_cast<char>(info->spec) + '}';
    const double magnitude = std::fabs(number);
    const int precision = info->prec < 0 ? 6 : info->prec;
    std::string text = fmt::format(fmt::runtime(pattern), magnitude, precision);

    const char* sign = std::signbit(number) ? "-" : info->showsign ? "+" : info->space ? " " : "";
    const size_t length = text.size() + (*sign != '\0' ? 1 : 0);
    const size_t width = info->width > 0 ? static_cast<size_t>(info->width) : 0;
    const std::string padding(width > length ? width - length : 0, info->pad == L'0' && !info->left ? '0' : ' ');
    if (info->left)
        text = sign + text + padding;
    else if (info->pad == L'0' && std::isfinite(number))
        text = sign + padding + text;
    else
        text = std::string(padding.size(), ' ') + sign + text;
    return fwrite(text.data(), 1, text.size(), to) == text.size() ? static_cast<int>(text.size()) : -1;
}

}  // extern "C"
