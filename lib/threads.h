/* threads.h: a team of threads that all run one function, and meet where it says. */
#ifndef THREADS_H
#define THREADS_H

#include <stddef.h>

typedef struct Team Team;

/* What every member runs: member is 0..size-1, member 0 is the calling thread. */
typedef void TeamTask(Team *team, int member, void *argument);

/* A team of that many threads, the caller among them; smaller, with a notice, when the system
   gives no more. The caller ends it with team_end. */
Team *team_start(int size);
void team_end(Team *team);

int team_size(const Team *team);

/* Runs the task on every member and returns when all are done. */
void team_run(Team *team, TeamTask *task, void *argument);

/* What is done with one piece of work: pieces are 0..count-1. */
typedef void TeamPiece(int member, size_t piece, void *argument);

/* The parallel loop: every piece once, on whatever member is free, in any order. Returns when all
   are done. */
void team_for(Team *team, size_t count, TeamPiece *piece, void *argument);

/* Called by every member within a task: nobody goes on before all have arrived. */
void team_meet(Team *team);

/* The numbers 0, 1, 2, ... of this task, each for one member only: a member that is done with one
   piece of work takes the next. */
size_t team_next(Team *team);

/* How many threads this process can run at once, 1..64: the processors it may use (taskset), and no
   more than its control groups (containers, systemd) grant time for. */
int processors(void);

/* Processors' worth of time that the control groups grant (Linux, version 1 and 2), infinity
   without a limit. Their files are looked for below root, which is "" but for tests. */
double group_processors(const char *root);

/* Seconds by a clock that only goes forward. */
double seconds_now(void);

#endif
