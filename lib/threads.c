#ifdef __linux__
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include "threads.h"

#include "fail.h"
#include "memory.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    Team *team;
    int member;
    pthread_t thread;
} Seat;

struct Team {
    atomic_int size;
    Seat *seats;        /* [size], that of member 0 unused */
    atomic_int arrived; /* at the meeting point */
    atomic_uint round;  /* counts meetings */
    int turns;          /* of a busy loop, before a member that waits falls asleep */
    pthread_cond_t met;
    pthread_mutex_t lock;
    atomic_size_t next; /* piece of work of the task */
    TeamTask *task;     /* NULL: the team ends */
    void *argument;
};

int team_size(const Team *team) { return team->size; }

/* ---- how many ---- */

/* The two numbers at the start of a file in a folder; 0 for what is not there. */
static void read_numbers(const char *folder, const char *name, double numbers[2]) {
    Buffer path = {0};
    numbers[0] = numbers[1] = 0;
    buffer_add(&path, "%s/%s", folder, name);
    FILE *file = fopen(path.text, "r");
    buffer_free(&path);
    if (!file) return;
    if (fscanf(file, "%lf %lf", &numbers[0], &numbers[1]) < 1) numbers[0] = 0;
    fclose(file);
}

/* The processors that one control group allows: its quota of time divided by the period. */
static double group_limit(const char *folder) {
    double quota[2], period[2];
    read_numbers(folder, "cpu.max", quota); /* version 2: "200000 100000" or "max 100000" */
    if (quota[0] > 0 && quota[1] > 0) return quota[0] / quota[1];
    read_numbers(folder, "cpu.cfs_quota_us", quota); /* version 1: -1 is no limit */
    read_numbers(folder, "cpu.cfs_period_us", period);
    return quota[0] > 0 && period[0] > 0 ? quota[0] / period[0] : INFINITY;
}

/* A line of /proc/self/cgroup is ID:CONTROLLERS:GROUP; version 2 names no controllers. Groups lie
   within others, whose limits hold, too. */
static double line_limit(const char *root, const char *line) {
    char controllers[1024] = "", group[4096];
    double limit = INFINITY;
    bool unnamed = sscanf(line, "%*d::%4095[^\n]", group) == 1;
    bool named = !unnamed && sscanf(line, "%*d:%1023[^:]:%4095[^\n]", controllers, group) == 2;
    if (named) named = !strncmp(controllers, "cpu", 3);
    if (!unnamed && !named) return limit;
    Buffer folder = {0};
    for (char *end = group + strlen(group); end; end = strrchr(group, '/')) {
        *end = '\0';
        folder.length = 0;
        buffer_add(&folder, "%s/sys/fs/cgroup/%s%s", root, controllers, group);
        limit = fmin(limit, group_limit(folder.text));
    }
    buffer_free(&folder);
    return limit;
}

double group_processors(const char *root) {
    char line[4096];
    double limit = INFINITY;
    Buffer path = {0};
    buffer_add(&path, "%s/proc/self/cgroup", root);
    FILE *file = fopen(path.text, "r");
    buffer_free(&path);
    while (file && fgets(line, sizeof line, file)) limit = fmin(limit, line_limit(root, line));
    if (file) fclose(file);
    return limit;
}

int processors(void) {
    double count = (double)sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
    cpu_set_t allowed;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) count = CPU_COUNT(&allowed);
#endif
    count = fmin(count, ceil(group_processors("")));
    return (int)fmax(1, fmin(64, count));
}

double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- the team ---- */

/* Batches take tens of microseconds, and so does falling asleep: a member first waits in a busy
   loop. One that waits longer sleeps: the member that it waits for may need its processor. */
void team_meet(Team *team) {
    if (team->size == 1) return;
    unsigned round = atomic_load(&team->round);
    if (atomic_fetch_add(&team->arrived, 1) == team->size - 1) {
        pthread_mutex_lock(&team->lock);
        atomic_store(&team->arrived, 0);
        atomic_store(&team->round, round + 1);
        pthread_cond_broadcast(&team->met);
        pthread_mutex_unlock(&team->lock);
        return;
    }
    for (int turn = 0; turn < team->turns; turn++)
        if (atomic_load_explicit(&team->round, memory_order_acquire) != round) return;
    pthread_mutex_lock(&team->lock);
    while (atomic_load(&team->round) == round) pthread_cond_wait(&team->met, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

size_t team_next(Team *team) {
    return atomic_fetch_add_explicit(&team->next, 1, memory_order_relaxed);
}

/* Meets to get a task, and meets when all are done with it. */
static void *member_life(void *argument) {
    const Seat *seat = argument;
    Team *team = seat->team;
    for (;;) {
        team_meet(team);
        if (!team->task) return NULL;
        team->task(team, seat->member, team->argument);
        team_meet(team);
    }
}

Team *team_start(int size) {
    Team *team = allocate(1, sizeof *team, "threads");
    team->seats = allocate((size_t)size, sizeof *team->seats, "threads");
    team->size = size;
    team->turns = size > 1 && size <= processors() ? 200000 : 0; /* 50 to 200 microseconds */
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->met, NULL);
    sigset_t all, before; /* signals are for the calling thread: the others never see one */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int member = 1; member < team->size; member++) {
        Seat *seat = &team->seats[member];
        *seat = (Seat){team, member};
        if (pthread_create(&seat->thread, NULL, member_life, seat) == 0) continue;
        notice("the system gives only %d of %d threads; going on with those (the result is the "
               "same)",
               member, size);
        team->size = member; /* the others wait until this thread comes to the meeting */
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return team;
}

void team_run(Team *team, TeamTask *task, void *argument) {
    team->next = 0;
    team->task = task;
    team->argument = argument;
    team_meet(team);
    task(team, 0, argument);
    team_meet(team);
}

void team_end(Team *team) {
    team->task = NULL;
    team_meet(team);
    for (int member = 1; member < team->size; member++)
        pthread_join(team->seats[member].thread, NULL);
    pthread_cond_destroy(&team->met);
    pthread_mutex_destroy(&team->lock);
    free(team->seats);
    free(team);
}

typedef struct {
    size_t count;
    TeamPiece *piece;
    void *argument;
} Loop;

static void run_pieces(Team *team, int member, void *argument) {
    const Loop *loop = argument;
    size_t piece;
    while ((piece = team_next(team)) < loop->count) loop->piece(member, piece, loop->argument);
}

void team_for(Team *team, size_t count, TeamPiece *piece, void *argument) {
    team_run(team, run_pieces, &(Loop){count, piece, argument});
}
