/* trainer.h: a training run: which positions come in which batch, with which learning rate, on how many threads. */
#ifndef TRAINER_H
#define TRAINER_H

#include "batches.h"

#include <signal.h>

/* RunOptions.deviation is at most this. */
enum { MAX_DEVIATION = 1000000 };

/* What decides a run's result, beside the text and the rows. */
typedef struct {
    size_t dim, batch, epochs;
    Rule rule;
    double embedding_rate, linear_rate; /* learning rates at the start, PyTorch's scale (mean over the batch) */
    double final_rate;                  /* what is left of both at the end: they fall in a line */
    double accumulator;                 /* Adagrad's initial accumulator of the embedding, before row_caution; the linear layer's is 0 */
    double deviation;                   /* of the character rows' normal distribution at the start */
    uint32_t seed;
    bool freeze_embedding, scale_grad_by_freq;
    double max_norm, norm_type;
} RunOptions;

typedef struct {
    RunOptions options;
    Team *team;
    Contexts *contexts;
    const uint8_t *text;
    size_t length; /* of the training part: positions 0..length-1 are learned */
    Model model;
    Optimizer optimizer;
    Random random;
    size_t step, steps; /* done, in all */
    size_t bad_step;    /* the first step (from 1) whose loss was no finite number; 0: none */
    float *losses;      /* [RUN_STEPS] of the steps of the last trainer_run, nats per position */

    /* An epoch goes through the text in shards of up to SHARD positions, each in an order of its own.
       One shard is the rule: only texts beyond 16 million characters have more. */
    Random shard_random; /* the generator before this shard's shuffle: what a checkpoint keeps */
    size_t shard_end;    /* the step after its last */
    size_t shard_step;   /* its first step */
    Found found;
    uint64_t *order; /* the shuffle of this shard's positions */
    Batch *ahead;    /* [ahead_count] batches of this round and of the next, `round` of each */
    size_t ahead_count, round;
    Team *alone;     /* a team of one: see learn_alone; NULL when the whole team is one */
    double lap_time[2]; /* seconds per position when all learn together, and when one learns alone; 0: not known; see run_lap */
    size_t laps;                     /* that are done */
    size_t lap_steps, lap_positions; /* of the lap that is not */
    double lap_seconds;
    uint32_t **mark; /* [members][rows] */
    uint64_t **spare; /* [members][2 batch] */
    Layers layers;
    const volatile sig_atomic_t *stop; /* not 0: trainer_run returns early */
    bool stopping[2];
} Trainer;

/* Tests build another ./train with small shards (build/test/train_sharded), so that a short text
   has several. No program that is installed has another size than this one: it decides the model's
   bytes. */
#ifndef SHARD_SIZE
#define SHARD_SIZE (16 << 20)
#endif
enum { SHARD = SHARD_SIZE, RUN_STEPS = 4096 };

/* A run at its start. The team, the rows and the text stay the caller's and must outlive it; the run adds to the
   counts of rows. */
Trainer *trainer_start(Team *team, Contexts *contexts, const uint8_t *text, size_t length, RunOptions options,
                       const volatile sig_atomic_t *stop);
void trainer_end(Trainer *trainer);

/* Puts a started trainer at a step of its run; weights, sums and random (the generator before
   the shard's shuffle) are the caller's to restore first. */
void trainer_seek(Trainer *trainer, size_t step);

/* Takes up to `steps` (at most RUN_STEPS) further steps; returns how many were taken. */
size_t trainer_run(Trainer *trainer, size_t steps);

/* Steps in one epoch, and positions in the batch of a step. */
size_t epoch_steps(size_t length, size_t batch);
size_t step_positions(const Trainer *trainer, size_t step);

#endif
