// The string functions of glibc come in up to ten variants each, for every vector unit since 2003 (170 KB), and the
// best one is chosen as the program starts. The node program's strings are names and short lists: one plain variant of
// each is fast enough. Replaces memcpy.o, strcmp.o and the like with all their variants. Blocks are copied and set by
// words of eight bytes, the rest byte by byte.
//
// The compiler must not turn these loops into calls of the functions they are (CMakeLists.txt).
#include <cstddef>
#include <cstdint>

namespace {

using std::size_t;

struct __attribute__((packed, may_alias)) Word {
    std::uint64_t bits;  // anywhere in memory
};

void* copy_up(void* to, const void* from, size_t count) {
    auto* out = static_cast<char*>(to);
    const auto* in = static_cast<const char*>(from);
    for (; count >= sizeof(Word); count -= sizeof(Word), out += sizeof(Word), in += sizeof(Word))
        reinterpret_cast<Word*>(out)->bits = reinterpret_cast<const Word*>(in)->bits;
    while (count-- > 0) *out++ = *in++;
    return out;
}

void copy_down(void* to, const void* from, size_t count) {
    auto* out = static_cast<char*>(to) + count;
    const auto* in = static_cast<const char*>(from) + count;
    for (; count >= sizeof(Word); count -= sizeof(Word)) {
        out -= sizeof(Word), in -= sizeof(Word);
        reinterpret_cast<Word*>(out)->bits = reinterpret_cast<const Word*>(in)->bits;
    }
    while (count-- > 0) *--out = *--in;
}

constexpr int lower(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }
constexpr int same(unsigned char c) { return c; }

template <int (*kMapped)(unsigned char)>
int compare(const char* a, const char* b, size_t most) {
    for (; most > 0; --most, ++a, ++b) {
        const int x = kMapped(static_cast<unsigned char>(*a)), y = kMapped(static_cast<unsigned char>(*b));
        if (x != y) return x - y;
        if (x == 0) break;
    }
    return 0;
}

bool contains(const char* set, char c) {
    for (; *set != '\0'; ++set)
        if (*set == c) return true;
    return false;
}

template <class Char>
size_t length(const Char* text, size_t most = SIZE_MAX) {
    size_t count = 0;
    while (count < most && text[count] != 0) ++count;
    return count;
}

}  // namespace

extern "C" {

void* memcpy(void* to, const void* from, size_t count) { return copy_up(to, from, count), to; }
void* mempcpy(void* to, const void* from, size_t count) { return copy_up(to, from, count); }
void* __mempcpy(void* to, const void* from, size_t count) { return copy_up(to, from, count); }
void* memmove(void* to, const void* from, size_t count) {
    const auto distance = reinterpret_cast<std::uintptr_t>(to) - reinterpret_cast<std::uintptr_t>(from);
    if (distance >= count)  // also when `to` is lower: the difference wraps
        copy_up(to, from, count);
    else
        copy_down(to, from, count);
    return to;
}
void* memset(void* to, int value, size_t count) {
    auto* out = static_cast<char*>(to);
    const std::uint64_t bits = 0x0101010101010101U * static_cast<unsigned char>(value);
    for (; count >= sizeof(Word); count -= sizeof(Word), out += sizeof(Word)) reinterpret_cast<Word*>(out)->bits = bits;
    while (count-- > 0) *out++ = static_cast<char>(value);
    return to;
}
int memcmp(const void* a, const void* b, size_t count) {
    const auto *x = static_cast<const unsigned char*>(a), *y = static_cast<const unsigned char*>(b);
    for (; count > 0; --count, ++x, ++y)
        if (*x != *y) return *x - *y;
    return 0;
}
int bcmp(const void* a, const void* b, size_t count) { return memcmp(a, b, count); }
int __memcmpeq(const void* a, const void* b, size_t count) { return memcmp(a, b, count); }

void* memchr(const void* at, int value, size_t count) {
    const auto* in = static_cast<const unsigned char*>(at);
    for (; count > 0; --count, ++in)
        if (*in == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(in);
    return nullptr;
}
void* __memchr(const void* at, int value, size_t count) { return memchr(at, value, count); }
void* memrchr(const void* at, int value, size_t count) {
    for (const auto* in = static_cast<const unsigned char*>(at) + count; count > 0; --count)
        if (*--in == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(in);
    return nullptr;
}
void* __memrchr(const void* at, int value, size_t count) { return memrchr(at, value, count); }
void* rawmemchr(const void* at, int value) { return memchr(at, value, SIZE_MAX); }
void* __rawmemchr(const void* at, int value) { return memchr(at, value, SIZE_MAX); }

size_t strlen(const char* text) { return length(text); }
size_t strnlen(const char* text, size_t most) { return length(text, most); }
size_t __strnlen(const char* text, size_t most) { return length(text, most); }
size_t wcslen(const wchar_t* text) { return length(text); }
size_t __wcslen(const wchar_t* text) { return length(text); }
size_t wcsnlen(const wchar_t* text, size_t most) { return length(text, most); }
size_t __wcsnlen(const wchar_t* text, size_t most) { return length(text, most); }

char* strchrnul(const char* text, int wanted) {
    while (*text != '\0' && *text != static_cast<char>(wanted)) ++text;
    return const_cast<char*>(text);
}
char* __strchrnul(const char* text, int wanted) { return strchrnul(text, wanted); }
char* strchr(const char* text, int wanted) {
    char* found = strchrnul(text, wanted);
    return *found == static_cast<char>(wanted) ? found : nullptr;
}
char* index(const char* text, int wanted) { return strchr(text, wanted); }
char* strrchr(const char* text, int wanted) { return static_cast<char*>(memrchr(text, wanted, length(text) + 1)); }
char* rindex(const char* text, int wanted) { return strrchr(text, wanted); }

int strcmp(const char* a, const char* b) { return compare<same>(a, b, SIZE_MAX); }
int strncmp(const char* a, const char* b, size_t most) { return compare<same>(a, b, most); }
int strcasecmp(const char* a, const char* b) { return compare<lower>(a, b, SIZE_MAX); }
int __strcasecmp(const char* a, const char* b) { return compare<lower>(a, b, SIZE_MAX); }
int strncasecmp(const char* a, const char* b, size_t most) { return compare<lower>(a, b, most); }
int __strncasecmp(const char* a, const char* b, size_t most) { return compare<lower>(a, b, most); }
int strcasecmp_l(const char* a, const char* b, void*) { return compare<lower>(a, b, SIZE_MAX); }
int __strcasecmp_l(const char* a, const char* b, void*) { return compare<lower>(a, b, SIZE_MAX); }
int strncasecmp_l(const char* a, const char* b, size_t most, void*) { return compare<lower>(a, b, most); }
int __strncasecmp_l(const char* a, const char* b, size_t most, void*) { return compare<lower>(a, b, most); }

char* stpcpy(char* to, const char* from) {
    const size_t count = length(from);
    copy_up(to, from, count + 1);
    return to + count;
}
char* __stpcpy(char* to, const char* from) { return stpcpy(to, from); }
char* strcpy(char* to, const char* from) { return stpcpy(to, from), to; }
char* strcat(char* to, const char* from) { return stpcpy(to + length(to), from), to; }
char* strncat(char* to, const char* from, size_t most) {
    const size_t count = length(from, most);
    *static_cast<char*>(copy_up(to + length(to), from, count)) = '\0';
    return to;
}
char* __strncat(char* to, const char* from, size_t most) { return strncat(to, from, most); }
char* stpncpy(char* to, const char* from, size_t room) {
    const size_t count = length(from, room);
    memset(copy_up(to, from, count), 0, room - count);
    return to + count;
}
char* __stpncpy(char* to, const char* from, size_t room) { return stpncpy(to, from, room); }
char* strncpy(char* to, const char* from, size_t room) { return stpncpy(to, from, room), to; }

size_t strspn(const char* text, const char* set) {
    size_t count = 0;
    while (text[count] != '\0' && contains(set, text[count])) ++count;
    return count;
}
size_t strcspn(const char* text, const char* set) {
    size_t count = 0;
    while (text[count] != '\0' && !contains(set, text[count])) ++count;
    return count;
}
char* strpbrk(const char* text, const char* set) {
    text += strcspn(text, set);
    return *text != '\0' ? const_cast<char*>(text) : nullptr;
}
char* strstr(const char* text, const char* wanted) {
    const size_t count = length(wanted);
    for (;; ++text) {
        if (compare<same>(text, wanted, count) == 0) return const_cast<char*>(text);
        if (*text == '\0') return nullptr;
    }
}

wchar_t* wcschr(const wchar_t* text, wchar_t wanted) {
    for (;; ++text) {
        if (*text == wanted) return const_cast<wchar_t*>(text);
        if (*text == 0) return nullptr;
    }
}
wchar_t* __wcschr(const wchar_t* text, wchar_t wanted) { return wcschr(text, wanted); }
wchar_t* wmemchr(const wchar_t* at, wchar_t value, size_t count) {
    for (; count > 0; --count, ++at)
        if (*at == value) return const_cast<wchar_t*>(at);
    return nullptr;
}
wchar_t* __wmemchr(const wchar_t* at, wchar_t value, size_t count) { return wmemchr(at, value, count); }
int wmemcmp(const wchar_t* a, const wchar_t* b, size_t count) {
    for (; count > 0; --count, ++a, ++b)
        if (*a != *b) return *a < *b ? -1 : 1;
    return 0;
}
int __wmemcmp(const wchar_t* a, const wchar_t* b, size_t count) { return wmemcmp(a, b, count); }
wchar_t* wmemset(wchar_t* to, wchar_t value, size_t count) {
    for (size_t i = 0; i < count; ++i) to[i] = value;
    return to;
}
wchar_t* __wmemset(wchar_t* to, wchar_t value, size_t count) { return wmemset(to, value, count); }
wchar_t* wcscpy(wchar_t* to, const wchar_t* from) {
    copy_up(to, from, (length(from) + 1) * sizeof(wchar_t));
    return to;
}
wchar_t* __wcscpy(wchar_t* to, const wchar_t* from) { return wcscpy(to, from); }
}
