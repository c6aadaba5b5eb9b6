// The loader of locales from /usr/lib/locale (20 KB), which an initramfs does not have: there is the C locale, by all
// of its names, and no other. Replaces findlocale.o.
#include <locale.h>

#include <clocale>
#include <cstring>

struct loaded_locale;

extern "C" {
extern const char _nl_C_name[];
extern const __locale_struct _nl_C_locobj;
__locale_data* _nl_find_locale(const char*, size_t, int, const char**);
void _nl_remove_locale(int, __locale_data*);
extern const char _nl_default_locale_path[];
extern loaded_locale* _nl_locale_file_list[];

// The locale named *name ("" means: by the environment), whose name is put into *name; null if there is none.
__locale_data* _nl_find_locale(const char*, size_t, int category, const char** name) {
    if (**name != '\0' && strcmp(*name, "C") != 0 && strcmp(*name, "POSIX") != 0) return nullptr;
    *name = _nl_C_name;
    return _nl_C_locobj.__locales[category];
}
void _nl_remove_locale(int, __locale_data*) {}
const char _nl_default_locale_path[] = "";
loaded_locale* _nl_locale_file_list[LC_IDENTIFICATION + 1];  // none
}
