// Translations of libc's messages (16 KB): an initramfs has no catalogues, and the program's locale is C. The text
// itself is the true answer. Replaces dcgettext.o, dcigettext.o
// and bindtextdom.o.
extern "C" {
char* __dcgettext(const char*, const char*, int);
char* dcgettext(const char*, const char*, int);
char* __dcigettext(const char*, const char*, const char*, int, unsigned long, int);
char* bindtextdomain(const char*, const char*);
char* bind_textdomain_codeset(const char*, const char*);
extern int _nl_msg_cat_cntr;

char* __dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
char* dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
char* __dcigettext(const char*, const char* one, const char* many, int, unsigned long count, int) {
    return const_cast<char*>(count == 1 || many == nullptr ? one : many);
}
char* bindtextdomain(const char*, const char*) { return nullptr; }
char* bind_textdomain_codeset(const char*, const char*) { return nullptr; }
int _nl_msg_cat_cntr = 0;  // setlocale(3) counts here what catalogues it has made stale
}
