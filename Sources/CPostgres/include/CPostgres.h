// What the module CPostgres shows: libpq, the client library of PostgreSQL, which is loaded when it is first asked for.
// It brings some twenty libraries with it, which no command needs that never sees a database.
#ifndef CONTINUO_POSTGRES_H
#define CONTINUO_POSTGRES_H
#include <stdbool.h>

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#define CONTINUO_HAS_LIBPQ 1
#elif __has_include(<postgresql/libpq-fe.h>)
#include <postgresql/libpq-fe.h>
#define CONTINUO_HAS_LIBPQ 1
#endif

// Whether there is a libpq on this machine that has all that is called here (14 or newer). No function of libpq may be called
// before this has answered true.
bool continuo_postgres_is_there(void);
#endif
