// Counts by standing in the way: these functions are found before those of the C library, which they call.
#define _GNU_SOURCE
#include "probe.h"
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define COUNTS 0
#endif
#endif
#if !defined(COUNTS) && defined(__GLIBC__)
#define COUNTS 1
#endif

#if COUNTS
static __thread bool is_counting;
static __thread continuo_counts counts;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static inline void note_memory(void) { if (is_counting) counts.allocations++; }

void *malloc(size_t bytes) { note_memory(); return __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { note_memory(); return __libc_calloc(count, bytes); }
void *realloc(void *old, size_t bytes) { note_memory(); return __libc_realloc(old, bytes); }
void *memalign(size_t alignment, size_t bytes) { note_memory(); return __libc_memalign(alignment, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) { note_memory(); return __libc_memalign(alignment, bytes); }
int posix_memalign(void **result, size_t alignment, size_t bytes) {
  note_memory();
  *result = __libc_memalign(alignment, bytes);
  return *result ? 0 : ENOMEM;
}
void free(void *old) { note_memory(); __libc_free(old); }

#define FORWARD(name, type)                                       \
  int name(type *lock) {                                          \
    static _Atomic(int (*)(type *)) next;                         \
    if (!next) next = (int (*)(type *))dlsym(RTLD_NEXT, #name);   \
    if (is_counting) counts.locks++;                              \
    return next(lock);                                            \
  }
FORWARD(pthread_mutex_lock, pthread_mutex_t)
FORWARD(pthread_rwlock_rdlock, pthread_rwlock_t)
FORWARD(pthread_rwlock_wrlock, pthread_rwlock_t)

bool continuo_can_count(void) { return true; }
void continuo_count(void) { memset(&counts, 0, sizeof counts); is_counting = true; }
continuo_counts continuo_counted(void) { is_counting = false; return counts; }
#else
bool continuo_can_count(void) { return false; }
void continuo_count(void) {}
continuo_counts continuo_counted(void) { return (continuo_counts){0, 0}; }
#endif

void continuo_take_lock(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&lock);
  pthread_mutex_unlock(&lock);
}

// Sleeps: on a busy machine who yields again and again gets nothing done.
static void pause_shortly(void) {
  struct timespec time = {0, 20000};
  nanosleep(&time, NULL);
}

static atomic_bool should_stand, is_standing;

// Nothing here that a signal handler must not do.
static void stand(int signal) {
  int saved = errno;
  (void)signal;
  atomic_store(&is_standing, true);
  while (atomic_load(&should_stand)) pause_shortly();
  atomic_store(&is_standing, false);
  errno = saved;
}

void continuo_end_after(unsigned seconds) {
  // Who starts a program may hand it blocked signals.
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
  signal(SIGALRM, SIG_DFL);
  alarm(seconds);
}

void continuo_stoppable(void) {
  struct sigaction action = {0};
  action.sa_handler = stand;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, NULL);
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGUSR1);
  pthread_sigmask(SIG_UNBLOCK, &ours, NULL);
}

void continuo_stop(pthread_t thread) {
  while (atomic_load(&is_standing)) pause_shortly();
  atomic_store(&should_stand, true);
  pthread_kill(thread, SIGUSR1);
  while (!atomic_load(&is_standing)) pause_shortly();
}

void continuo_go_on(void) { atomic_store(&should_stand, false); }
