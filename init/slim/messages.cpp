// Translations of libc's messages (16 KB): an initramfs has no catalogues, and the program's locale is C. The text
// itself is the true answer. Replaces dcgettext.o.
extern "C" {
char* __dcgettext(const char*, const char*, int);
char* dcgettext(const char*, const char*, int);

char* __dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
char* dcgettext(const char*, const char* text, int) { return const_cast<char*>(text); }
}
