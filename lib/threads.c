#include "threads.h"

#include "fail.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

struct Team {
    int size;
    pthread_t *threads; /* [size - 1], members 1.. */
    atomic_int arrived; /* at the meeting point */
    atomic_uint round;  /* counts meetings */
    pthread_mutex_t lock;
    pthread_cond_t work; /* a task is there: members sleep between tasks */
    unsigned tasks;
    bool ended;
    TeamTask *task;
    void *argument;
};

typedef struct {
    Team *team;
    int member;
} Seat;

int team_size(const Team *team) { return team->size; }

int processors(void) {
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > 64 ? 64 : (int)online;
}

/* Batches take tens of microseconds, so waiting is first a busy loop; when there are more threads
   than processors, the one awaited needs this one's processor, so after a while it is offered. */
void team_meet(Team *team) {
    if (team->size == 1) return;
    unsigned round = atomic_load_explicit(&team->round, memory_order_acquire);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->size - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->round, round + 1, memory_order_release);
        return;
    }
    for (unsigned spins = 0; atomic_load_explicit(&team->round, memory_order_acquire) == round; spins++)
        if (spins > 4000) sched_yield();
}

static void *member_life(void *given) {
    Seat seat = *(Seat *)given;
    free(given);
    Team *team = seat.team;
    for (unsigned done = 0;; done++) {
        pthread_mutex_lock(&team->lock);
        while (team->tasks == done && !team->ended) pthread_cond_wait(&team->work, &team->lock);
        bool ended = team->ended;
        pthread_mutex_unlock(&team->lock);
        if (ended) return NULL;
        team->task(team, seat.member, team->argument);
        team_meet(team);
    }
}

Team *team_start(int size) {
    Team *team = allocate(1, sizeof *team, "threads");
    team->threads = allocate((size_t)size, sizeof *team->threads, "threads");
    team->size = size;
    pthread_mutex_init(&team->lock, NULL);
    pthread_cond_init(&team->work, NULL);
    sigset_t all, before; /* signals are for the calling thread: the others never see one */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int member = 1; member < size; member++) {
        Seat *seat = allocate(1, sizeof *seat, "threads");
        *seat = (Seat){team, member};
        if (pthread_create(&team->threads[member - 1], NULL, member_life, seat) == 0) continue;
        free(seat);
        notice("the system gives only %d of %d threads; going on with those (the result is the same)", member, size);
        team->size = member; /* nobody has met yet: members only wait for work so far */
        break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return team;
}

void team_run(Team *team, TeamTask *task, void *argument) {
    if (team->size > 1) {
        pthread_mutex_lock(&team->lock);
        team->task = task;
        team->argument = argument;
        team->tasks++;
        pthread_cond_broadcast(&team->work);
        pthread_mutex_unlock(&team->lock);
    }
    task(team, 0, argument);
    team_meet(team);
}

void team_end(Team *team) {
    pthread_mutex_lock(&team->lock);
    team->ended = true;
    pthread_cond_broadcast(&team->work);
    pthread_mutex_unlock(&team->lock);
    for (int member = 1; member < team->size; member++) pthread_join(team->threads[member - 1], NULL);
    pthread_cond_destroy(&team->work);
    pthread_mutex_destroy(&team->lock);
    free(team->threads);
    free(team);
}

void team_share(const Team *team, int member, size_t count, size_t granule, size_t *first, size_t *last) {
    size_t granules = (count + granule - 1) / granule, size = (size_t)team->size, m = (size_t)member;
    *first = granules * m / size * granule;
    *last = granules * (m + 1) / size * granule;
    if (*first > count) *first = count;
    if (*last > count) *last = count;
}
