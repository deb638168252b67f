/* Loaded before the C library (LD_PRELOAD), this lets one call of a program fail, fall short, or be its last.
 *
 *   CHAOS_FAULT=FUNCTION:N:KIND   what happens at the N-th call (from 1) of a function: an errno as a number, `short` (reads
 *                                 and writes do half), `before:SIGNAL` or `after:SIGNAL` (the process gets that signal)
 *   CHAOS_TIMER=SIGNAL:US         a signal so many microseconds after the start
 *   CHAOS_DATA=BYTES              a limit on memory (RLIMIT_DATA)
 *   CHAOS_LOG=FILE                gets a line `fired FUNCTION PATH`, and when the process exits `calls FUNCTION COUNT` for
 *                                 every function and `peak KIB`
 *
 * Functions of one kind are one function here: see the calls of CALL below. Writes to stdout are `print`; those to stderr
 * never fail, since nobody could be told. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum function {
    OPEN, OPENDIR, READ, WRITE, PRINT, SYNC, RENAME, LINK, TRUNCATE, MAP, MEMORY, CLOSE, MKDIR, REMOVE, LOCK, STAT, READDIR,
    THREAD, FUNCTIONS
};
static const char *const names[FUNCTIONS] = {
    "open", "opendir", "read", "write", "print", "sync", "rename", "link", "truncate", "map", "memory", "close", "mkdir", "remove",
    "lock", "stat", "readdir", "thread"
};
enum kind { NOTHING, ERRNO, SHORT, BEFORE, AFTER };

static atomic_long calls[FUNCTIONS];
static enum function function = FUNCTIONS;
static enum kind kind;
static long nth;
static int number; /* an errno or a signal */
static char log_file[4096];

/* Without the functions that are replaced here. */
static void note(const char *line, int length) {
    if (!log_file[0]) return;
    int saved = errno;
    int file = (int)syscall(SYS_openat, AT_FDCWD, log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file >= 0) {
        (void)!syscall(SYS_write, file, line, length);
        syscall(SYS_close, file);
    }
    errno = saved;
}

__attribute__((constructor)) static void begin(void) {
    const char *fault = getenv("CHAOS_FAULT"), *timer = getenv("CHAOS_TIMER"), *data = getenv("CHAOS_DATA");
    const char *log = getenv("CHAOS_LOG");
    if (log) strncpy(log_file, log, sizeof log_file - 1);
    char name[32], how[32];
    if (fault && sscanf(fault, "%31[^:]:%ld:%31s", name, &nth, how) == 3) {
        for (int f = 0; f < FUNCTIONS; f++)
            if (!strcmp(name, names[f])) function = f;
        if (!strcmp(how, "short")) kind = SHORT;
        else if (sscanf(how, "before:%d", &number) == 1) kind = BEFORE;
        else if (sscanf(how, "after:%d", &number) == 1) kind = AFTER;
        else { kind = ERRNO; number = atoi(how); }
    }
    long us;
    int at;
    if (timer && sscanf(timer, "%d:%ld", &at, &us) == 2) {
        struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = at };
        struct itimerspec when = { .it_value = { us / 1000000, us % 1000000 * 1000 + 1 } };
        timer_t id;
        if (!timer_create(CLOCK_MONOTONIC, &event, &id)) timer_settime(id, 0, &when, 0);
    }
    if (data) {
        rlim_t bytes = strtoull(data, 0, 10);
        setrlimit(RLIMIT_DATA, &(struct rlimit){ bytes, bytes });
    }
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void) {
    char line[128];
    for (int f = 0; f < FUNCTIONS; f++) note(line, snprintf(line, sizeof line, "calls %s %ld\n", names[f], calls[f]));
    struct rusage usage;
    if (!getrusage(RUSAGE_SELF, &usage)) note(line, snprintf(line, sizeof line, "peak %ld\n", usage.ru_maxrss));
}

/* What is to happen at this call: NOTHING for all but one. */
static enum kind fires(enum function called, const char *path, int file) {
    long n = atomic_fetch_add(&calls[called], 1) + 1;
    if (called != function || n != nth) return NOTHING;
    char link[64], target[4096] = "", line[8300];
    if (!path && file >= 0) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", file);
        long length = syscall(SYS_readlinkat, AT_FDCWD, link, target, sizeof target - 1);
        target[length > 0 ? length : 0] = 0;
    }
    note(line, snprintf(line, sizeof line, "fired %s %s\n", names[called], path ? path : target));
    if (kind == BEFORE) kill(getpid(), number);
    return kind;
}

#define REAL(name) ((__typeof__(&name))real(&real_##name, #name))
static void *real(_Atomic(void *) *known, const char *name) {
    void *found = *known;
    if (!found) *known = found = dlsym(RTLD_NEXT, name);
    return found;
}

/* A function that is counted as `called`; `failed` is what it gives where it fails. */
#define CALL(result, name, called, path, file, failed, parameters, arguments) \
    static _Atomic(void *) real_##name;                                       \
    result name parameters {                                                  \
        enum kind what = fires(called, path, file);                           \
        if (what == ERRNO) { errno = number; return failed; }                 \
        result given = REAL(name) arguments;                                  \
        if (what == AFTER) kill(getpid(), number);                            \
        return given;                                                         \
    }

/* A function that may do less than it was asked to: `size` bytes. */
#define PART(name, called, file, size, parameters, arguments)                 \
    static _Atomic(void *) real_##name;                                       \
    ssize_t name parameters {                                                 \
        enum kind what = file == 2 ? NOTHING : fires(called, 0, file);        \
        if (what == ERRNO) { errno = number; return -1; }                     \
        if (what == SHORT && size > 1) size /= 2;                             \
        ssize_t given = REAL(name) arguments;                                 \
        if (what == AFTER) kill(getpid(), number);                            \
        return given;                                                         \
    }

/* Those whose last argument is there for some flags alone: on the machines that this is for it does no harm to pass it on. */
#define OPENING(name, first, parameters, arguments)                           \
    static _Atomic(void *) real_##name;                                       \
    int name parameters {                                                     \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                         \
        enum kind what = fires(flags & O_DIRECTORY ? OPENDIR : OPEN, path, -1); \
        if (what == ERRNO) { errno = number; return -1; }                     \
        int given = REAL(name) arguments;                                     \
        if (what == AFTER) kill(getpid(), number);                            \
        return given;                                                         \
    }

OPENING(open, path, (const char *path, int flags, ...), (path, flags, mode))
OPENING(open64, path, (const char *path, int flags, ...), (path, flags, mode))
OPENING(openat, path, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPENING(openat64, path, (int at, const char *path, int flags, ...), (at, path, flags, mode))
CALL(DIR *, opendir, OPENDIR, path, -1, 0, (const char *path), (path))
CALL(DIR *, fdopendir, OPENDIR, 0, file, 0, (int file), (file))

PART(read, READ, file, size, (int file, void *to, size_t size), (file, to, size))
PART(pread, READ, file, size, (int file, void *to, size_t size, off_t at), (file, to, size, at))
PART(pread64, READ, file, size, (int file, void *to, size_t size, off64_t at), (file, to, size, at))
PART(readv, READ, file, size, (int file, const struct iovec *to, int size), (file, to, size))
PART(write, (file == 1 ? PRINT : WRITE), file, size, (int file, const void *from, size_t size), (file, from, size))
PART(pwrite, WRITE, file, size, (int file, const void *from, size_t size, off_t at), (file, from, size, at))
PART(pwrite64, WRITE, file, size, (int file, const void *from, size_t size, off64_t at), (file, from, size, at))
PART(writev, (file == 1 ? PRINT : WRITE), file, size, (int file, const struct iovec *from, int size), (file, from, size))
PART(copy_file_range, WRITE, file, size,
     (int in, off64_t *from, int file, off64_t *to, size_t size, unsigned flags), (in, from, file, to, size, flags))
PART(sendfile64, WRITE, file, size, (int file, int in, off64_t *from, size_t size), (file, in, from, size))

CALL(int, fsync, SYNC, 0, file, -1, (int file), (file))
CALL(int, fdatasync, SYNC, 0, file, -1, (int file), (file))
CALL(int, rename, RENAME, from, -1, -1, (const char *from, const char *to), (from, to))
CALL(int, renameat, RENAME, from, -1, -1, (int a, const char *from, int b, const char *to), (a, from, b, to))
CALL(int, renameat2, RENAME, from, -1, -1, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
CALL(int, link, LINK, from, -1, -1, (const char *from, const char *to), (from, to))
CALL(int, linkat, LINK, from, -1, -1, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
CALL(int, ftruncate, TRUNCATE, 0, file, -1, (int file, off_t size), (file, size))
CALL(int, ftruncate64, TRUNCATE, 0, file, -1, (int file, off64_t size), (file, size))
CALL(int, fallocate64, TRUNCATE, 0, file, -1, (int file, int mode, off64_t at, off64_t size), (file, mode, at, size))
CALL(int, posix_fallocate64, TRUNCATE, 0, file, number, (int file, off64_t at, off64_t size), (file, at, size))
CALL(void *, mmap, (file >= 0 ? MAP : MEMORY), 0, file, MAP_FAILED,
     (void *near, size_t size, int access, int flags, int file, off_t at), (near, size, access, flags, file, at))
CALL(void *, mmap64, (file >= 0 ? MAP : MEMORY), 0, file, MAP_FAILED,
     (void *near, size_t size, int access, int flags, int file, off64_t at), (near, size, access, flags, file, at))
CALL(int, mkdir, MKDIR, path, -1, -1, (const char *path, mode_t mode), (path, mode))
CALL(int, mkdirat, MKDIR, path, -1, -1, (int at, const char *path, mode_t mode), (at, path, mode))
CALL(int, unlink, REMOVE, path, -1, -1, (const char *path), (path))
CALL(int, unlinkat, REMOVE, path, -1, -1, (int at, const char *path, int flags), (at, path, flags))
CALL(int, rmdir, REMOVE, path, -1, -1, (const char *path), (path))
CALL(int, flock, LOCK, 0, file, -1, (int file, int how), (file, how))
CALL(int, fstat64, STAT, 0, file, -1, (int file, struct stat64 *found), (file, found))
CALL(int, stat64, STAT, path, -1, -1, (const char *path, struct stat64 *found), (path, found))
CALL(int, lstat64, STAT, path, -1, -1, (const char *path, struct stat64 *found), (path, found))
CALL(int, fstatat64, STAT, path, at, -1, (int at, const char *path, struct stat64 *found, int flags), (at, path, found, flags))
/* Rust's library asks for nothing at all to see whether there is such a call; glibc's header says that nobody does. */
__attribute__((noinline)) static const char *named(const char *volatile path) { return path && *path ? path : 0; }
CALL(int, statx, STAT, named(path), at, -1,
     (int at, const char *restrict path, int flags, unsigned asked, struct statx *restrict found), (at, path, flags, asked, found))
CALL(struct dirent64 *, readdir64, READDIR, 0, dirfd(folder), 0, (DIR *folder), (folder))
CALL(int, pthread_create, THREAD, 0, -1, number,
     (pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *), void *with), (thread, how, run, with))

/* The file is closed all the same, as Linux does it. */
static _Atomic(void *) real_close;
int close(int file) {
    enum kind what = fires(CLOSE, 0, file);
    int given = REAL(close)(file);
    if (what == ERRNO) { errno = number; return -1; }
    if (what == AFTER) kill(getpid(), number);
    return given;
}

/* What Rust's library calls by number. */
static _Atomic(void *) real_syscall;
long syscall(long which, ...) {
    va_list rest;
    va_start(rest, which);
    long a[6];
    for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
    va_end(rest);
    enum kind what = NOTHING;
    if (which == SYS_renameat2) what = fires(RENAME, (const char *)a[1], -1);
    if (what == ERRNO) { errno = number; return -1; }
    long given = REAL(syscall)(which, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (what == AFTER) kill(getpid(), number);
    return given;
}
