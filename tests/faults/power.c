/* Loaded before the C library: notes what would survive a power cut, which is what was synced and nothing else.

   Under $POWER_ROOT, a synced file's bytes go to $POWER_KEPT/i<inode>, a synced folder's names to
   $POWER_KEPT/d<hash of its path>. A file whose folder was not synced has no name; bytes after the last sync are gone. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int inside(int fd, char *path, size_t size) {
    char link[64];
    const char *root = getenv("POWER_ROOT");
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0 || !root) return 0;
    path[length] = 0;
    return strncmp(path, root, strlen(root)) == 0;
}

static void finish(FILE *out, const char *temporary, const char *name) {
    if (fclose(out) == 0) rename(temporary, name);
}

static void keep(int fd) {
    char path[4096], name[4200], temporary[4300], block[65536];
    struct stat status;
    if (!inside(fd, path, sizeof path) || fstat(fd, &status)) return;
    const char *kept = getenv("POWER_KEPT");
    if (S_ISDIR(status.st_mode)) {
        unsigned long hash = 5381;
        for (const char *c = path; *c; c++) hash = hash * 33 + (unsigned char)*c;
        snprintf(name, sizeof name, "%s/d%lu", kept, hash);
        snprintf(temporary, sizeof temporary, "%s.%d", name, getpid());
        FILE *out = fopen(temporary, "w");
        DIR *folder = opendir(path);
        if (!out || !folder) return;
        fprintf(out, "%s\n", path);
        for (struct dirent *entry; (entry = readdir(folder));)
            if (entry->d_type == DT_REG) fprintf(out, "%lu %s\n", (unsigned long)entry->d_ino, entry->d_name);
        closedir(folder);
        finish(out, temporary, name);
        return;
    }
    int in = open(path, O_RDONLY);
    snprintf(name, sizeof name, "%s/i%lu", kept, (unsigned long)status.st_ino);
    snprintf(temporary, sizeof temporary, "%s.%d", name, getpid());
    FILE *out = fopen(temporary, "w");
    if (in < 0 || !out) return;
    for (ssize_t got; (got = read(in, block, sizeof block)) > 0;) fwrite(block, 1, got, out);
    close(in);
    finish(out, temporary, name);
}

static int synced(const char *which, int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, which);
    int result = real(fd);
    if (result == 0) keep(fd);
    return result;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
