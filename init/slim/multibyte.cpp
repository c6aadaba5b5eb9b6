// Conversion between characters and wide characters. glibc's goes through a general converter between character sets
// (iconv(3), 50 KB with its tables and its reader of configuration files), which libstdc++, the scanner of numbers and
// streams of wide characters refer to. Here is what it does in the C locale, the only one of this program: a character
// is a byte, and bytes above 127 become U+DF80 to U+DFFF and come back (glibc 2.35). Replaces iconv.o, wcsmbsload.o,
// mbrtowc.o, iofwide.o and their like.
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <cwchar>

namespace {

constexpr wchar_t kHigh = 0xDF00;

wchar_t wide(unsigned char byte) { return byte < 0x80 ? byte : kHigh + byte; }

/// The byte of a wide character; -1: it has none.
int narrow(wchar_t character) {
    if (character >= 0 && character < 0x80) return character;
    return character >= kHigh + 0x80 && character <= kHigh + 0xFF ? character - kHigh : -1;
}

std::size_t impossible() {
    errno = EILSEQ;
    return static_cast<std::size_t>(-1);
}

}  // namespace

extern "C" {

struct __locale_data;
struct _IO_codecvt;
extern int __gconv_lock;
extern const std::size_t __wcsmbs_gconv_fcts_c[4];

void* iconv_open(const char*, const char*) {
    errno = EINVAL;
    return reinterpret_cast<void*>(-1);
}
std::size_t iconv(void*, char**, std::size_t*, char**, std::size_t*) {
    errno = EBADF;
    return static_cast<std::size_t>(-1);
}
int iconv_close(void*) {
    errno = EBADF;
    return -1;
}

wint_t btowc(int byte) noexcept {
    return byte >= 0 && byte < 256 ? static_cast<wint_t>(wide(static_cast<unsigned char>(byte))) : WEOF;
}
wint_t __btowc(int byte) { return btowc(byte); }
int wctob(wint_t character) noexcept { return narrow(static_cast<wchar_t>(character)); }

std::size_t mbrtowc(wchar_t* to, const char* from, std::size_t count, mbstate_t*) noexcept {
    if (from == nullptr) return 0;
    if (count == 0) return static_cast<std::size_t>(-2);
    if (to != nullptr) *to = wide(static_cast<unsigned char>(*from));
    return *from != '\0' ? 1 : 0;
}
std::size_t __mbrtowc(wchar_t* to, const char* from, std::size_t count, mbstate_t* state) {
    return mbrtowc(to, from, count, state);
}
std::size_t mbrlen(const char* from, std::size_t count, mbstate_t* state) noexcept {
    return mbrtowc(nullptr, from, count, state);
}
std::size_t __mbrlen(const char* from, std::size_t count, mbstate_t* state) noexcept {
    return mbrtowc(nullptr, from, count, state);
}

std::size_t wcrtomb(char* to, wchar_t from, mbstate_t*) noexcept {
    if (to == nullptr) return 1;
    const int byte = narrow(from);
    if (byte < 0) return impossible();
    *to = static_cast<char>(byte);
    return 1;
}
std::size_t __wcrtomb(char* to, wchar_t from, mbstate_t* state) { return wcrtomb(to, from, state); }
std::size_t __wcrtomb_internal(char* to, wchar_t from, mbstate_t* state, std::size_t) {
    return wcrtomb(to, from, state);
}

// `most` characters of the source, `room` of the target; a null target only counts
std::size_t mbsnrtowcs(wchar_t* to, const char** from, std::size_t most, std::size_t room, mbstate_t*) noexcept {
    const char* in = *from;
    std::size_t done = 0;
    for (; most > 0 && (to == nullptr || done < room); --most, ++done, ++in) {
        if (to != nullptr) to[done] = wide(static_cast<unsigned char>(*in));
        if (*in == '\0') {
            in = nullptr;
            break;
        }
    }
    if (to != nullptr) *from = in;
    return done;
}
std::size_t __mbsnrtowcs(wchar_t* to, const char** from, std::size_t most, std::size_t room, mbstate_t* state) {
    return mbsnrtowcs(to, from, most, room, state);
}
std::size_t mbsrtowcs(wchar_t* to, const char** from, std::size_t room, mbstate_t* state) noexcept {
    return mbsnrtowcs(to, from, static_cast<std::size_t>(-1), room, state);
}
std::size_t __mbsrtowcs(wchar_t* to, const char** from, std::size_t room, mbstate_t* state) {
    return mbsrtowcs(to, from, room, state);
}
std::size_t __mbsrtowcs_l(wchar_t* to, const char** from, std::size_t room, mbstate_t* state, void*) {
    return mbsrtowcs(to, from, room, state);
}

std::size_t wcsnrtombs(char* to, const wchar_t** from, std::size_t most, std::size_t room, mbstate_t*) noexcept {
    const wchar_t* in = *from;
    std::size_t done = 0;
    for (; most > 0 && (to == nullptr || done < room); --most, ++done, ++in) {
        const int byte = narrow(*in);
        if (byte < 0) return impossible();
        if (to != nullptr) to[done] = static_cast<char>(byte);
        if (byte == 0) {
            in = nullptr;
            break;
        }
    }
    if (to != nullptr) *from = in;
    return done;
}
std::size_t __wcsnrtombs(char* to, const wchar_t** from, std::size_t most, std::size_t room, mbstate_t* state) {
    return wcsnrtombs(to, from, most, room, state);
}
std::size_t wcsrtombs(char* to, const wchar_t** from, std::size_t room, mbstate_t* state) noexcept {
    return wcsnrtombs(to, from, static_cast<std::size_t>(-1), room, state);
}
std::size_t __wcsrtombs(char* to, const wchar_t** from, std::size_t room, mbstate_t* state) {
    return wcsrtombs(to, from, room, state);
}

void _nl_cleanup_ctype(__locale_data*) {}
int __wcsmbs_named_conv(void*, const char*) { return 1; }  // fopen(3) with ",ccs=": no such conversion
void __gconv_release_step(void*) {}
// the C locale's converters, which those who would call them are replaced here
const std::size_t __wcsmbs_gconv_fcts_c[4] = {};
int __gconv_lock = 0;  // fclose(3) takes it around the former

// the buffers of wide streams, of which there is none
int __libio_codecvt_encoding(_IO_codecvt*) { return 1; }
int __libio_codecvt_in(_IO_codecvt*, void*, const char*, const char*, const char**, wchar_t*, wchar_t*, wchar_t**) {
    return 2;  // __codecvt_error
}
int __libio_codecvt_out(_IO_codecvt*, void*, const wchar_t*, const wchar_t*, const wchar_t**, char*, char*, char**) {
    return 2;
}
int __libio_codecvt_length(_IO_codecvt*, void*, const char*, const char*, std::size_t) { return 0; }

// a stream stays one of bytes, whatever is asked for (fwide(3))
int _IO_fwide(FILE*, int) { return -1; }
}
