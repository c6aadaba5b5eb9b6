// Time zones and dates in words: an initramfs has no zone files, its time is UTC, and nothing here formats a date with
// strftime(3); libudev's log would. Replaces tzset.o and tzfile.o (10 KB), strftime.o and strftime_l.o (10 KB).
#include <ctime>

extern "C" {

int __offtime(long, long, tm*);
void __tzset();
tm* __tz_convert(long, int, tm*);
std::size_t __strftime_l(char*, std::size_t, const char*, const tm*, void*);

char* tzname[2] = {const_cast<char*>("UTC"), const_cast<char*>("UTC")};
long timezone = 0;
int daylight = 0;
extern char* __tzname[2] __attribute__((alias("tzname")));
extern long __timezone __attribute__((alias("timezone")));
extern int __daylight __attribute__((alias("daylight")));

void __tzset() {}
void tzset() noexcept {}

// What gmtime(3) and localtime(3) are made of; null, with errno, for a year that no int holds.
tm* __tz_convert(long seconds, int, tm* to) {
    if (__offtime(seconds, 0, to) == 0) return nullptr;
    to->tm_isdst = 0;
    to->tm_gmtoff = 0;
    to->tm_zone = tzname[0];
    return to;
}

std::size_t strftime(char* to, std::size_t room, const char*, const tm*) noexcept {
    if (room > 0) *to = '\0';
    return 0;
}
std::size_t __strftime_l(char* to, std::size_t room, const char* format, const tm* when, void*) {
    return strftime(to, room, format, when);
}
}
