/* trainer.h: a training run: which positions come in which batch, with which learning rates. */
#ifndef TRAINER_H
#define TRAINER_H

#include "step.h"

#include <signal.h>

/* RunOptions.deviation is at most this. */
enum { MAX_DEVIATION = 1000000 };

/* What decides a run's result, beside the text and the rows. */
typedef struct {
    size_t dim, batch, epochs;
    bool sgd;                       /* torch.optim.SGD; otherwise torch.optim.Adagrad */
    double embedding_lr, linear_lr; /* learning rates at the start; losses are means over a batch */
    double final_lr;                /* share of both that is left at the end: they fall in a line */
    double accumulator; /* Adagrad's initial accumulator of rows, which their kind scales */
    double deviation;   /* of the normal distribution of the characters' rows at the start */
    uint32_t seed;
    bool freeze_embedding, scale_grad_by_freq;
    double max_norm, norm_type;
    bool reference; /* train with model.h's train_step: the same result, slower */
} RunOptions;

/* An epoch goes through the text in shards of up to SHARD positions, each in an order of its own:
   one, but for texts beyond 16 million characters. It decides the model's bytes; only tests build
   a ./train with smaller ones. */
#ifndef SHARD_SIZE
#define SHARD_SIZE (16 << 20)
#endif
enum { SHARD = SHARD_SIZE, RUN_STEPS = 4096 };

typedef struct {
    RunOptions options;
    Team *team;
    Vocabulary *vocabulary;
    const uint8_t *text;
    size_t length; /* of the training part: positions 0 .. length - 1 are learned */
    Model model;
    Model sum; /* Adagrad's sums; with SGD its arrays are NULL */
    Random random;
    size_t step, steps; /* done, in all */
    bool bad_loss; /* the loss of the latest step is no finite number: no further ones are taken */
    float *losses; /* [RUN_STEPS] of the steps of the last trainer_run, nats per position */

    size_t shard_step, shard_end; /* the first step of this shard, and the one after its last */
    Random shard_random;          /* before this shard's shuffle: what a checkpoint keeps */
    Bags bags;
    uint64_t *order;    /* the shuffle of this shard's positions */
    SortedBatch *ahead; /* [ahead_count] batches of this round and of the next */
    size_t ahead_count; /* 2 round, or all of a shard when it has fewer */
    size_t round;       /* batches that are filled before the steps on them are taken */
    uint32_t **mark;    /* [members][rows] scratch of batch_fill */
    Step state;
    Team *alone;    /* a team of one: member 0, while the others fill batches */
    double pace[2]; /* seconds a step took, learning together and alone; 0: not yet known */
    Model gradient; /* see Training; only with options.reference */
    const volatile sig_atomic_t *stop; /* not 0: trainer_run returns early */
    bool stopping[2];                  /* whether member 0 said so, for rounds in turn */
} Trainer;

/* A run at its start. The team, the rows and the text stay the caller's and must outlive it; the
   run adds to the counts of rows. */
Trainer *trainer_start(Team *team, Vocabulary *vocabulary, const uint8_t *text, size_t length,
                       RunOptions options, const volatile sig_atomic_t *stop);
void trainer_end(Trainer *trainer);

/* Puts a started trainer at a step of its run; weights, sums and random (the generator before the
   shard's shuffle) are the caller's to restore first. */
void trainer_seek(Trainer *trainer, size_t step);

/* Takes up to `steps` (at most RUN_STEPS) further steps; returns how many were taken. */
size_t trainer_run(Trainer *trainer, size_t steps);

/* The mean loss over positions that are not trained on, in nats per position. As nn.Embedding does
   with max_norm, it shortens the rows that it looks up. */
double trainer_score(Trainer *trainer, const Bags *bags);

/* Steps in one epoch; positions in the batch of a step, and in all batches before it. */
size_t epoch_steps(size_t length, size_t batch);
size_t step_positions(const Trainer *trainer, size_t step);
size_t positions_before(const Trainer *trainer, size_t step);

#endif
