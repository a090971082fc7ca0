// The functions of libpq, each of which calls the one that was loaded.
#include "CPostgres.h"

#ifdef CONTINUO_HAS_LIBPQ
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>

// Each function once: its result, its name, its parameters, their names.
#define EACH_FUNCTION(F)                                                                                               \
  F(void, PQclear, (PGresult * result), (result))                                                                      \
  F(int, PQcancel, (PGcancel * cancel, char *text, int size), (cancel, text, size))                                    \
  F(char *, PQcmdTuples, (PGresult * result), (result))                                                                \
  F(PQconninfoOption *, PQconndefaults, (void), ())                                                                    \
  F(void, PQconninfoFree, (PQconninfoOption * options), (options))                                                     \
  F(PQconninfoOption *, PQconninfoParse, (const char *text, char **message), (text, message))                          \
  F(PostgresPollingStatusType, PQconnectPoll, (PGconn * own), (own))                                                   \
  F(PGconn *, PQconnectStartParams, (const char *const *keywords, const char *const *values, int expand),              \
    (keywords, values, expand))                                                                                        \
  F(int, PQconsumeInput, (PGconn * own), (own))                                                                        \
  F(int, PQenterPipelineMode, (PGconn * own), (own))                                                                   \
  F(char *, PQerrorMessage, (const PGconn *own), (own))                                                                \
  F(int, PQexitPipelineMode, (PGconn * own), (own))                                                                    \
  F(int, PQfformat, (const PGresult *result, int column), (result, column))                                            \
  F(void, PQfinish, (PGconn * own), (own))                                                                             \
  F(int, PQflush, (PGconn * own), (own))                                                                               \
  F(char *, PQfname, (const PGresult *result, int column), (result, column))                                           \
  F(void, PQfreeCancel, (PGcancel * cancel), (cancel))                                                                 \
  F(void, PQfreemem, (void *memory), (memory))                                                                         \
  F(PGcancel *, PQgetCancel, (PGconn * own), (own))                                                                    \
  F(int, PQgetCopyData, (PGconn * own, char **buffer, int async), (own, buffer, async))                                \
  F(PGresult *, PQgetResult, (PGconn * own), (own))                                                                    \
  F(int, PQgetisnull, (const PGresult *result, int row, int column), (result, row, column))                            \
  F(int, PQgetlength, (const PGresult *result, int row, int column), (result, row, column))                            \
  F(char *, PQgetvalue, (const PGresult *result, int row, int column), (result, row, column))                          \
  F(int, PQisBusy, (PGconn * own), (own))                                                                              \
  F(int, PQnfields, (const PGresult *result), (result))                                                                \
  F(int, PQntuples, (const PGresult *result), (result))                                                                \
  F(int, PQpipelineSync, (PGconn * own), (own))                                                                        \
  F(int, PQputCopyData, (PGconn * own, const char *buffer, int size), (own, buffer, size))                             \
  F(int, PQputCopyEnd, (PGconn * own, const char *message), (own, message))                                            \
  F(char *, PQresultErrorField, (const PGresult *result, int code), (result, code))                                    \
  F(char *, PQresultErrorMessage, (const PGresult *result), (result))                                                  \
  F(ExecStatusType, PQresultStatus, (const PGresult *result), (result))                                                \
  F(int, PQsendQuery, (PGconn * own, const char *text), (own, text))                                                   \
  F(int, PQsendQueryParams,                                                                                            \
    (PGconn * own, const char *text, int count, const Oid *types, const char *const *values, const int *lengths,       \
     const int *formats, int result),                                                                                  \
    (own, text, count, types, values, lengths, formats, result))                                                       \
  F(int, PQserverVersion, (const PGconn *own), (own))                                                                  \
  F(PQnoticeReceiver, PQsetNoticeReceiver, (PGconn * own, PQnoticeReceiver receiver, void *with),                      \
    (own, receiver, with))                                                                                             \
  F(int, PQsetnonblocking, (PGconn * own, int value), (own, value))                                                    \
  F(int, PQsocket, (const PGconn *own), (own))                                                                         \
  F(int, PQsslInUse, (PGconn * own), (own))                                                                            \
  F(ConnStatusType, PQstatus, (const PGconn *own), (own))                                                              \
  F(PGTransactionStatusType, PQtransactionStatus, (const PGconn *own), (own))

// Where each was loaded to.
#define PLACE(result, name, parameters, names) result(*name) parameters;
static struct {
  EACH_FUNCTION(PLACE)
} loaded;
static bool is_there;

static void load(void) {
#ifdef __APPLE__
  void *library = dlopen("libpq.5.dylib", RTLD_NOW | RTLD_LOCAL);
#else
  void *library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
#endif
  if (library == NULL) return;
  bool has_all = true;
#define FIND(result, name, parameters, names)                                                                          \
  *(void **)&loaded.name = dlsym(library, #name);                                                                      \
  has_all = has_all && loaded.name != NULL;
  EACH_FUNCTION(FIND)
  is_there = has_all;
}

bool continuo_postgres_is_there(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  return is_there;
}

#define FORWARD(result, name, parameters, names)                                                                       \
  result name parameters { return loaded.name names; }
EACH_FUNCTION(FORWARD)
#else
bool continuo_postgres_is_there(void) { return false; }
#endif
