/*
 * Stands before the system's calls that write files (LD_PRELOAD): while the file $FAULT_FLAG exists, those on files with
 * $FAULT_PATH in their path fail or take longer. The flag says how: "<errno> <delay in ms> <calls>", where errno is 0 for
 * no failure and calls are "write", "sync" or "all". "5 0 sync": only a flush fails, with EIO.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* The errno that a call is to fail with; 0: it is let through. */
static int fault(int fd, const char *call) {
  static __thread int busy; /* the flag is read by calls that come here too */
  const char *part = getenv("FAULT_PATH");
  const char *flag = getenv("FAULT_FLAG");
  char link[64];
  char path[4096];
  char calls[16] = "all";
  int code = 0;
  int ms = 0;
  if (busy || !part || !flag || access(flag, F_OK) != 0) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  if (!strstr(path, part)) return 0;
  busy = 1;
  FILE *file = fopen(flag, "r");
  if (file) {
    if (fscanf(file, "%d %d %15s", &code, &ms, calls) < 1) code = 0;
    fclose(file);
  }
  busy = 0;
  if (strcmp(calls, "all") != 0 && strcmp(calls, call) != 0) return 0;
  struct timespec delay = {ms / 1000, (ms % 1000) * 1000000L};
  if (ms) nanosleep(&delay, NULL);
  return code;
}

#define REPLACE(type, name, call, parameters, arguments)      \
  type name parameters {                                      \
    static __typeof__(name) *real;                            \
    if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, #name); \
    int code = fault(fd, call);                               \
    if (code) {                                               \
      errno = code;                                           \
      return -1;                                              \
    }                                                         \
    return real arguments;                                    \
  }

REPLACE(ssize_t, write, "write", (int fd, const void *bytes, size_t count), (fd, bytes, count))
REPLACE(ssize_t, writev, "write", (int fd, const struct iovec *parts, int count), (fd, parts, count))
REPLACE(ssize_t, pwrite, "write", (int fd, const void *bytes, size_t count, off_t at), (fd, bytes, count, at))
REPLACE(ssize_t, pwrite64, "write", (int fd, const void *bytes, size_t count, off64_t at), (fd, bytes, count, at))
REPLACE(ssize_t, pwritev, "write", (int fd, const struct iovec *parts, int count, off_t at), (fd, parts, count, at))
REPLACE(ssize_t, pwritev64, "write", (int fd, const struct iovec *parts, int count, off64_t at), (fd, parts, count, at))
REPLACE(int, ftruncate, "write", (int fd, off_t length), (fd, length))
REPLACE(int, ftruncate64, "write", (int fd, off64_t length), (fd, length))
REPLACE(int, fsync, "sync", (int fd), (fd))
REPLACE(int, fdatasync, "sync", (int fd), (fd))
