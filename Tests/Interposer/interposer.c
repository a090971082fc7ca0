// Loaded in front of the C library: calls on the files below one directory are interrupted, cut short, or fail, as the environment says.
// Invariant: a call that was cut short has truly done the part that it says; an interrupted one has done nothing.
// Not here: which calls in which run, and what must come of it (tools/crash.d/calls.py). Linux.
// CONTINUO_FAULTS_PATH    the directory; calls on other files go through
// CONTINUO_FAULTS_EVERY   of so many calls of a kind half, rounded down, are interrupted or cut short; 0: none
// CONTINUO_FAULTS_SEED    which of them
// CONTINUO_FAULTS_FAIL    the number, from 1, of the call that changes something and fails with EIO; 0: none
// CONTINUO_FAULTS_COUNTS  a file of at least 4096 bytes, whose first words count what was done: it outlives kill -9

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum kind { WRITE, READ, SYNC, DIRECTORY_SYNC, OPEN, LOCK, ROOM, KINDS };
enum { DESCRIPTORS = 1024 };

// The words of the file of counts: calls of each kind, then interrupted ones, then those cut short, then those that failed, and
// how many there were that could fail.
static struct counts {
  _Atomic uint64_t calls[KINDS], interrupted[KINDS], cut[KINDS], failed, could_fail;
} nowhere, *counts = &nowhere;

static const char *directory;
static uint64_t every, seed, failing;
static _Atomic uint64_t state;
// Whether a descriptor is one of a file below the directory.
static _Atomic uint8_t ours[DESCRIPTORS];

static uint64_t number(const char *name) {
  const char *text = getenv(name);
  return text ? strtoull(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void begin(void) {
  directory = getenv("CONTINUO_FAULTS_PATH");
  every = number("CONTINUO_FAULTS_EVERY");
  seed = number("CONTINUO_FAULTS_SEED");
  failing = number("CONTINUO_FAULTS_FAIL");
  const char *path = getenv("CONTINUO_FAULTS_COUNTS");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (words != MAP_FAILED) counts = words;
  close(file);
}

static int is_below(const char *path) {
  return directory && path && strncmp(path, directory, strlen(directory)) == 0;
}

static int is_ours(int descriptor) { return descriptor >= 0 && descriptor < DESCRIPTORS && ours[descriptor]; }

static uint64_t drawn(void) {
  uint64_t mixed = (atomic_fetch_add(&state, 1) + 1) * 0x9E3779B97F4A7C15u + seed;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
  return mixed ^ (mixed >> 31);
}

// Whether it is this call's turn: half of every so many in a row.
static int has_turn(enum kind kind) {
  uint64_t call = atomic_fetch_add(&counts->calls[kind], 1);
  return every > 1 && (call + seed) % every < every / 2;
}

static int is_interrupted(enum kind kind) {
  atomic_fetch_add(&counts->interrupted[kind], 1);
  errno = EINTR;
  return -1;
}

// Whether this is the one call that is to fail.
static int fails(void) {
  if (atomic_fetch_add(&counts->could_fail, 1) + 1 != failing) return 0;
  atomic_fetch_add(&counts->failed, 1);
  errno = EIO;
  return 1;
}

// How many bytes of a read or a write are done; -1 for an interrupted one.
static ssize_t part(enum kind kind, size_t count) {
  if (!has_turn(kind)) return (ssize_t)count;
  if (count < 2 || drawn() % 2) return is_interrupted(kind);
  atomic_fetch_add(&counts->cut[kind], 1);
  return (ssize_t)(1 + drawn() % (count - 1));
}

#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, name))

typedef ssize_t (*write_call)(int, const void *, size_t, off_t);
typedef ssize_t (*read_call)(int, void *, size_t, off_t);
typedef int (*descriptor_call)(int);
typedef int (*open_call)(const char *, int, ...);

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
  if (is_ours(descriptor)) {
    ssize_t allowed = part(WRITE, count);
    if (allowed < 0 || fails()) return -1;
    count = (size_t)allowed;
  }
  return NEXT("pwrite", write_call)(descriptor, bytes, count, offset);
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
  if (is_ours(descriptor)) {
    ssize_t allowed = part(READ, count);
    if (allowed < 0) return -1;
    count = (size_t)allowed;
  }
  return NEXT("pread", read_call)(descriptor, bytes, count, offset);
}

static int synced(int descriptor, enum kind kind, const char *name) {
  if (is_ours(descriptor)) {
    if (has_turn(kind)) return is_interrupted(kind);
    if (fails()) return -1;
  }
  return NEXT(name, descriptor_call)(descriptor);
}

int fdatasync(int descriptor) { return synced(descriptor, SYNC, "fdatasync"); }
int fsync(int descriptor) { return synced(descriptor, DIRECTORY_SYNC, "fsync"); }

int flock(int descriptor, int operation) {
  if (is_ours(descriptor) && has_turn(LOCK)) return is_interrupted(LOCK);
  return NEXT("flock", int (*)(int, int))(descriptor, operation);
}

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  int below = is_below(path);
  if (below && has_turn(OPEN)) return is_interrupted(OPEN);
  int descriptor = NEXT("open", open_call)(path, flags, mode);
  if (descriptor >= 0 && descriptor < DESCRIPTORS) ours[descriptor] = (uint8_t)below;
  return descriptor;
}

int statvfs(const char *restrict path, struct statvfs *restrict room) {
  if (is_below(path) && has_turn(ROOM)) return is_interrupted(ROOM);
  return NEXT("statvfs", int (*)(const char *, struct statvfs *))(path, room);
}

int rename(const char *from, const char *to) {
  if (is_below(from) && fails()) return -1;
  return NEXT("rename", int (*)(const char *, const char *))(from, to);
}

// The names of the same calls for offsets of 64 bits, which Linux has everywhere here.
_Static_assert(sizeof(off_t) == 8, "offsets of 64 bits");
ssize_t pwrite64(int, const void *, size_t, off_t) __attribute__((alias("pwrite")));
ssize_t pread64(int, void *, size_t, off_t) __attribute__((alias("pread")));
int open64(const char *, int, ...) __attribute__((alias("open")));
int statvfs64(const char *restrict, struct statvfs64 *restrict);
int statvfs64(const char *restrict path, struct statvfs64 *restrict room) {
  return statvfs(path, (struct statvfs *)room);
}
