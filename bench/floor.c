/* The floor: the least that brings an NFS root up. Loads the modules that /modules/order names, sets the address that the
 * command line gives, mounts, and becomes the real init. No DHCP, no time, no state, no report, no second try.
 *
 *   floor=10.9.0.11,10.9.0.1:/srv/root,vers=3,...      (the kernel hands unknown parameters over as environment) */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    for (;;)
        pause();
}

static void load_modules(void)
{
    char path[256];
    FILE *order = fopen("/modules/order", "re");
    if (!order)
        fail("/modules/order");
    while (fgets(path, sizeof path, order)) {
        path[strcspn(path, "\n")] = 0;
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0 || syscall(SYS_finit_module, file, "", 0) != 0)
            fail(path);
        close(file);
        unlink(path); /* its memory is the node's again */
    }
    fclose(order);
}

static void set_address(const char *address)
{
    struct ifreq request = {.ifr_name = "eth0"};
    struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    in->sin_family = AF_INET;
    in->sin_addr.s_addr = inet_addr(address);
    if (ioctl(socket_, SIOCSIFADDR, &request) != 0)
        fail("address");
    in->sin_addr.s_addr = htonl(0xffffff00);
    if (ioctl(socket_, SIOCSIFNETMASK, &request) != 0)
        fail("netmask");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(socket_, SIOCSIFFLAGS, &request) != 0)
        fail("up");
    close(socket_);
}

int main(void)
{
    char *words = getenv("floor"), *init = getenv("real_init");
    if (!words || !init)
        fail("floor=ADDRESS,SOURCE,OPTIONS real_init=PATH");
    char *address = strsep(&words, ","), *source = strsep(&words, ",");
    load_modules();
    set_address(address);
    mkdir("/root", 0755);
    if (mount(source, "/root", "nfs", MS_RDONLY, words) != 0)
        fail(source);
    if (chdir("/root") != 0 || mount(".", "/", NULL, MS_MOVE, NULL) != 0 || chroot(".") != 0)
        fail("switch root");
    execl(init, init, (char *)NULL);
    fail(init);
}
