// The parts of the dynamic linker that a static glibc program starts although it never calls dlopen(3), 70 KB.
// Replaces members of dl-load.o, dl-reloc.o and dl-open.o; should something call dlopen, the link fails with a symbol
// that is defined twice.
#include <sys/mman.h>

struct link_map;

extern "C" {
void _dl_init_paths(const char*, const char*, const char*, const char*);
void _dl_protect_relro(link_map*);
link_map* _dl_find_dso_for_object(unsigned long);
extern int __stack_prot;

// where dlopen would search
void _dl_init_paths(const char*, const char*, const char*, const char*) {}
// called where there is a segment to be made read-only after relocation; the program is linked without (-z norelro)
void _dl_protect_relro(link_map*) {}
// "of no shared object": callers take the program itself
link_map* _dl_find_dso_for_object(unsigned long) { return nullptr; }
// the protection that a shared object with an executable stack would widen
int __stack_prot = PROT_READ | PROT_WRITE | PROT_GROWSDOWN;
}
