// glibc's own messages (assert, malloc) go through functions that ask whether stderr is a stream of wide characters,
// and so take vfwprintf along (26 KB). Nothing here orients a stream: it never is. Replaces fxprintf.o.
#include <cstdarg>
#include <cstdio>

extern "C" {
int __vfxprintf(FILE*, const char*, va_list, unsigned);
int __fxprintf(FILE*, const char*, ...);
int __fxprintf_nocancel(FILE*, const char*, ...);

int __vfxprintf(FILE* to, const char* format, va_list arguments, unsigned) {
    return vfprintf(to != nullptr ? to : stderr, format, arguments);
}
int __fxprintf(FILE* to, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int written = __vfxprintf(to, format, arguments, 0);
    va_end(arguments);
    return written;
}
int __fxprintf_nocancel(FILE* to, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int written = __vfxprintf(to, format, arguments, 0);
    va_end(arguments);
    return written;
}
}
