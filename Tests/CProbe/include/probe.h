// What the C library does for one thread, counted; and stopping a thread wherever it stands.
#ifndef CONTINUO_PROBE_H
#define CONTINUO_PROBE_H
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

// How often memory was asked for or given back, and locks were taken, on this thread between the two calls.
typedef struct {
  uint64_t allocations;
  uint64_t locks;
} continuo_counts;

void continuo_count(void);
continuo_counts continuo_counted(void);

// Whether this C library's calls can be counted here: glibc, without a sanitizer that counts them itself.
bool continuo_can_count(void);

// Takes and gives back a lock: counted as one, which shows that locks are counted.
void continuo_take_lock(void);

// Ends the process, as failed, if it still runs then.
void continuo_end_after(unsigned seconds);

// Makes the calling thread one that can be stopped.
void continuo_stoppable(void);
// Stops that thread where it stands, whatever it holds, and returns when it stands.
void continuo_stop(pthread_t thread);
void continuo_go_on(void);
#endif
