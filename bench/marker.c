/* The real init of every boot that is measured: says when it began, what memory is used and what the NFS client has asked,
 * as one line of JSON on the console; again after bench_wait=SECONDS. Then it stays until the power is switched off.
 *
 * Its first packet, to port 9 of the server, ends the boot for who listens on the cable. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char line[16384];
static size_t used;

#define SAY(...) (used += (size_t)snprintf(line + used, sizeof line - used, __VA_ARGS__))

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void mark_the_cable(void)
{
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.9.0.1")};
    int socket_ = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sendto(socket_, "real init", 9, 0, (struct sockaddr *)&server, sizeof server);
    close(socket_);
}

static size_t slurp(const char *path, char *text, size_t size)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    size_t length = 0;
    ssize_t got;
    while (file >= 0 && length < size - 1 && (got = read(file, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    if (file >= 0)
        close(file);
    text[length] = 0;
    return length;
}

static void say_memory(const char *when)
{
    static const char *const wanted[] = {"MemTotal:", "MemFree:", "MemAvailable:", "Shmem:", "Slab:", "AnonPages:"};
    static char text[8192];
    slurp("/proc/meminfo", text, sizeof text);
    SAY(",\"%s\":{", when);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *found = strstr(text, wanted[i]);
        SAY("%s\"%.*s\":%ld", i ? "," : "", (int)strlen(wanted[i]) - 1, wanted[i],
            found ? atol(found + strlen(wanted[i])) : 0L);
    }
    SAY("}");
}

static void drop_caches(void)
{
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    if (write(file, "3", 1) < 0)
        perror("drop_caches");
    close(file);
}

/* Stamps of kmsg, seconds: "Run /init", and a line of our own by which its clock is compared with CLOCK_MONOTONIC. */
static void say_times(double began)
{
    static char record[8192];
    double run_init = 0, mine = 0;
    int kmsg = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    double before = now();
    if (write(kmsg, "bench: real init\n", 17) < 0)
        perror("/dev/kmsg");
    double after = now();
    ssize_t got;
    while ((got = read(kmsg, record, sizeof record - 1)) > 0) {
        record[got] = 0;
        unsigned long long microseconds = 0;
        sscanf(record, "%*u,%*u,%llu", &microseconds);
        if (strstr(record, ";Run /init as init"))
            run_init = (double)microseconds / 1e6;
        if (strstr(record, ";bench: real init"))
            mine = (double)microseconds / 1e6;
    }
    close(kmsg);
    SAY("\"monotonic\":%.6f,\"kmsg\":%.6f,\"run_init\":%.6f", began, began + mine - (before + after) / 2, run_init);
}

static void say_rpc(void)
{
    static char text[8192];
    slurp("/proc/net/rpc/nfs", text, sizeof text);
    for (char *c = text; *c; c++)
        if (*c == '\n')
            *c = ';';
    SAY(",\"rpc\":\"%s\"", text);
}

static void say_processes(void)
{
    static char path[300], name[64], text[8192];
    DIR *proc = opendir("/proc");
    const char *comma = "";
    SAY(",\"processes\":[");
    for (struct dirent *entry; proc && (entry = readdir(proc));) {
        snprintf(path, sizeof path, "/proc/%s/smaps_rollup", entry->d_name);
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !slurp(path, text, sizeof text))
            continue; /* a thread of the kernel */
        const char *rss = strstr(text, "\nRss:"), *pss = strstr(text, "\nPss:");
        snprintf(path, sizeof path, "/proc/%s/comm", entry->d_name);
        name[slurp(path, name, sizeof name) - 1] = 0;
        SAY("%s{\"name\":\"%s\",\"pid\":%s,\"rss\":%ld,\"pss\":%ld}", comma, name, entry->d_name,
            rss ? atol(rss + 5) : 0L, pss ? atol(pss + 5) : 0L);
        comma = ",";
    }
    SAY("]");
    if (proc)
        closedir(proc);
}

static void tell(void)
{
    int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    SAY("}\n");
    for (size_t done = 0; done < used;) { /* a terminal takes what its buffer has room for */
        ssize_t written = write(console, line + done, used - done);
        if (written < 0)
            break;
        done += (size_t)written;
    }
    close(console);
    used = 0;
}

static unsigned seconds_to_wait(void)
{
    static char text[4096];
    slurp("/proc/cmdline", text, sizeof text);
    const char *found = strstr(text, "bench_wait=");
    return found ? (unsigned)atoi(found + strlen("bench_wait=")) : 0;
}

int main(void)
{
    double began = now();
    mark_the_cable();
    if (access("/proc/self", F_OK) != 0)
        mount("proc", "/proc", "proc", 0, NULL);
    if (access("/dev/kmsg", F_OK) != 0)
        mount("dev", "/dev", "devtmpfs", 0, NULL);
    SAY("\nbench: {");
    say_times(began);
    say_rpc();
    say_memory("memory");
    drop_caches();
    say_memory("memory_dropped");
    say_processes();
    tell();
    unsigned wait = seconds_to_wait();
    if (wait) {
        sleep(wait);
        SAY("\nbench later: {\"seconds\":%u", wait);
        say_memory("memory");
        drop_caches();
        say_memory("memory_dropped");
        say_processes();
        tell();
    }
    for (;;)
        pause();
}
