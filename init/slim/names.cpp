// Look-ups of names that would go through NSS. A static glibc program can only do them by loading the very same libc
// from the file system, which an initramfs does not have. libmount, libudev and libnl refer to them for user names in
// options and for host names in addresses; the node program gives them numbers only. Every look-up finds nothing.
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

extern "C" {

int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_FAIL; }
void freeaddrinfo(addrinfo*) noexcept {}
int getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int) { return EAI_FAIL; }
protoent* getprotobyname(const char*) { return nullptr; }
protoent* getprotobynumber(int) { return nullptr; }

passwd* getpwnam(const char*) { return nullptr; }
passwd* getpwuid(uid_t) { return nullptr; }
group* getgrnam(const char*) { return nullptr; }
group* getgrgid(gid_t) { return nullptr; }

// "not found" of the reentrant forms is success without a result
int getpwnam_r(const char*, passwd*, char*, size_t, passwd** result) { return *result = nullptr, 0; }
int getpwuid_r(uid_t, passwd*, char*, size_t, passwd** result) { return *result = nullptr, 0; }
int getgrnam_r(const char*, group*, char*, size_t, group** result) { return *result = nullptr, 0; }
int getgrgid_r(gid_t, group*, char*, size_t, group** result) { return *result = nullptr, 0; }

// End of a thread: its resolver has nothing open, since there is none. Replaces res-close.o, behind which is
// resolv.conf.
void __res_iclose(void*, bool);
void __res_nclose(void*);
void __res_thread_freeres();
void __res_iclose(void*, bool) {}
void __res_nclose(void*) {}
void __res_thread_freeres() {}

}  // extern "C"
