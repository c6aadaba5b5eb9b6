// glibc's loader of character set modules, behind which is all of dlopen(3). The node program has the C locale only and
// an initramfs has no such modules. Replaces gconv_dl.o; should a later glibc change it, the link fails and says so.
extern "C" {
void* __gconv_find_shlib(const char*);
void __gconv_release_shlib(void*);

void* __gconv_find_shlib(const char*) { return nullptr; }
void __gconv_release_shlib(void*) {}
}
