/* Loaded before the C library: lets one kind of call fail on files under $FAIL_ROOT, from the $FAIL_AT-th on.

   $FAIL_CALL is write, sync, rename, truncate, remove, link or lock; $FAIL_NAME, where it is set, the name of the only file
   meant; $FAIL_ONCE lets later calls work again; $FAIL_KILL kills the process instead, half of a write done. Each call
   is a byte in $FAIL_NOTES/<kind>, by which calls are counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

static long calls; /* that match, of this process */

static int fails(const char *kind, const char *path) {
    const char *root = getenv("FAIL_ROOT"), *name = getenv("FAIL_NAME"), *notes = getenv("FAIL_NOTES");
    const char *wanted = getenv("FAIL_CALL"), *at = getenv("FAIL_AT");
    if (!root || strncmp(path, root, strlen(root))) return 0;
    const char *base = strrchr(path, '/');
    if (name && (!base || strcmp(base + 1, name))) return 0;
    if (notes) {
        char file[4200];
        snprintf(file, sizeof file, "%s/%s", notes, kind);
        int out = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (out >= 0) {
            syscall(SYS_write, out, ".", 1);
            syscall(SYS_close, out);
        }
    }
    if (!wanted || !at || strcmp(kind, wanted)) return 0;
    long number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (number < atol(at) || (getenv("FAIL_ONCE") && number > atol(at))) return 0;
    if (getenv("FAIL_KILL")) {
        if (strcmp(kind, "write")) kill(getpid(), SIGKILL);
        return 1;
    }
    errno = !strcmp(kind, "lock") ? ENOLCK : !strcmp(kind, "sync") ? EIO : ENOSPC;
    return 1;
}

static int fails_on(const char *kind, int handle) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(kind, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Where the process is to be killed, half of what it was to write is written before. */
static ssize_t cut_short(ssize_t written) {
    if (getenv("FAIL_KILL")) kill(getpid(), SIGKILL);
    return written;
}

static size_t half(size_t count) { return getenv("FAIL_KILL") ? count / 2 : 0; }

ssize_t write(int handle, const void *bytes, size_t count) {
    if (!fails_on("write", handle)) return REAL(write)(handle, bytes, count);
    if (half(count)) REAL(write)(handle, bytes, half(count));
    return cut_short(-1);
}
ssize_t pwrite(int handle, const void *bytes, size_t count, off_t at) {
    if (!fails_on("write", handle)) return REAL(pwrite)(handle, bytes, count, at);
    if (half(count)) REAL(pwrite)(handle, bytes, half(count), at);
    return cut_short(-1);
}
ssize_t pwrite64(int handle, const void *bytes, size_t count, off64_t at) {
    if (!fails_on("write", handle)) return REAL(pwrite64)(handle, bytes, count, at);
    if (half(count)) REAL(pwrite64)(handle, bytes, half(count), at);
    return cut_short(-1);
}
int fsync(int handle) { return fails_on("sync", handle) ? -1 : REAL(fsync)(handle); }
int fdatasync(int handle) { return fails_on("sync", handle) ? -1 : REAL(fdatasync)(handle); }
int ftruncate(int handle, off_t size) { return fails_on("truncate", handle) ? -1 : REAL(ftruncate)(handle, size); }
int ftruncate64(int handle, off64_t size) {
    return fails_on("truncate", handle) ? -1 : REAL(ftruncate64)(handle, size);
}
int rename(const char *from, const char *to) { return fails("rename", to) ? -1 : REAL(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) {
    return fails("rename", to) ? -1 : REAL(renameat)(a, from, b, to);
}
int unlink(const char *path) { return fails("remove", path) ? -1 : REAL(unlink)(path); }
int rmdir(const char *path) { return fails("remove", path) ? -1 : REAL(rmdir)(path); }
int link(const char *from, const char *to) { return fails("link", to) ? -1 : REAL(link)(from, to); }
int symlink(const char *what, const char *at) { return fails("link", at) ? -1 : REAL(symlink)(what, at); }

/* Python removes folders by handles of the folders above. */
int unlinkat(int folder, const char *name, int flags) {
    return fails_on("remove", folder) ? -1 : REAL(unlinkat)(folder, name, flags);
}

/* Locks of a whole file and of bytes of it, which SQLite takes and lets go of: a lock server that does not answer. */
static int locks(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW;
}
int flock(int handle, int kind) { return fails_on("lock", handle) ? -1 : REAL(flock)(handle, kind); }
int fcntl(int handle, int command, ...) {
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return locks(command) && fails_on("lock", handle) ? -1 : REAL(fcntl)(handle, command, argument);
}
int fcntl64(int handle, int command, ...) {
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return locks(command) && fails_on("lock", handle) ? -1 : REAL(fcntl64)(handle, command, argument);
}
