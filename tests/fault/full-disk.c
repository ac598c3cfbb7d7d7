/* A full disk, in a test: while a file `full` lies in the folder FULL_DISK, of what is written to files below it only a first part is
 * taken, and then nothing (ENOSPC).
 *
 *   cc -shared -fPIC -o full-disk.so full-disk.c -ldl
 *   FULL_DISK=/folder LD_PRELOAD=./full-disk.so redis-server ... */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define ROOM 1000

static int is_full(int fd) {
  const char *folder = getenv("FULL_DISK");
  char name[64], path[PATH_MAX];
  if (!folder) return 0;
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(name, path, sizeof path - 1);
  if (length < 0 || strncmp(path, folder, strlen(folder)) != 0) return 0;
  snprintf(path, sizeof path, "%s/full", folder);
  return access(path, F_OK) == 0;
}

ssize_t write(int fd, const void *bytes, size_t count) {
  static ssize_t (*real_write)(int, const void *, size_t);
  if (!real_write) real_write = dlsym(RTLD_NEXT, "write");
  int before = errno;
  if (!is_full(fd)) { errno = before; return real_write(fd, bytes, count); }
  if (count > ROOM) return real_write(fd, bytes, ROOM);
  errno = ENOSPC;
  return -1;
}
