/* snapshots.h: the 100 character rows at some moments of a run, to see them move. */
#ifndef SNAPSHOTS_H
#define SNAPSHOTS_H

#include "safetensors.h"

#include <stddef.h>
#include <stdint.h>

/* At most 40 snapshots and at most a megabyte of them. */
enum { MAX_SNAPSHOTS = 40 };

typedef struct {
    size_t dim, count, capacity;
    int64_t steps[MAX_SNAPSHOTS];
    float *rows; /* [count, 100, dim] */
} Snapshots;

Snapshots snapshots_start(size_t dim);
void snapshots_free(Snapshots *snapshots);

/* Is a snapshot due after this step? They are denser at the start, where rows move most. */
bool snapshot_due(const Snapshots *snapshots, size_t step, size_t steps);
void snapshot_take(Snapshots *snapshots, const float *character_rows, size_t step);

void snapshots_save(Entry entry, const Snapshots *snapshots);
/* Loads the snapshots up to a step. False, with no snapshots, when there is no such file or it does
   not hold snapshots of this dim: finite numbers, of steps from 0 on that rise. */
bool snapshots_load(Entry entry, Snapshots *snapshots, size_t last_step);

#endif
