#include "trainer.h"

#include "memory.h"

#include <stdlib.h>

static size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

/* ---- which positions, when ------------------------------------------------------------------- */

size_t epoch_steps(size_t length, size_t batch) {
    return length / SHARD * divide_up(SHARD, batch) + divide_up(length % SHARD, batch);
}

/* The shard of a step: its first position, its length and its first step. */
typedef struct {
    size_t first, length, first_step;
} Shard;

static Shard shard_of(const Trainer *trainer, size_t step) {
    size_t in_shard = divide_up(SHARD, trainer->options.batch);
    size_t in_epoch = epoch_steps(trainer->length, trainer->options.batch);
    size_t number = step % in_epoch / in_shard, first = number * SHARD;
    return (Shard){first, smaller(trainer->length - first, SHARD),
                   step / in_epoch * in_epoch + number * in_shard};
}

size_t step_positions(const Trainer *trainer, size_t step) {
    Shard shard = shard_of(trainer, step);
    size_t done = (step - shard.first_step) * trainer->options.batch;
    return smaller(shard.length - done, trainer->options.batch);
}

size_t positions_before(const Trainer *trainer, size_t step) {
    size_t epoch = step / epoch_steps(trainer->length, trainer->options.batch);
    Shard shard = shard_of(trainer, step);
    size_t in_shard = (step - shard.first_step) * trainer->options.batch;
    return epoch * trainer->length + shard.first + in_shard;
}

/* Shuffles the shard of the next step and looks up its rows. */
static void enter_shard(Trainer *trainer) {
    Shard shard = shard_of(trainer, trainer->step);
    if (!trainer->bags.count || trainer->bags.first != shard.first) {
        bags_free(&trainer->bags);
        trainer->bags =
            bags_find(trainer->team, trainer->vocabulary, trainer->text, shard.first, shard.length);
    }
    for (uint32_t i = 0; i < shard.length; i++)
        trainer->order[i] = position(trainer->vocabulary, &trainer->bags, i, i);
    trainer->shard_random = trainer->random;
    random_shuffle(&trainer->random, trainer->order, (uint32_t)shard.length);
    trainer->shard_step = shard.first_step;
    trainer->shard_end = shard.first_step + divide_up(shard.length, trainer->options.batch);
}

void trainer_seek(Trainer *trainer, size_t step) {
    trainer->step = step;
    if (step < trainer->steps) enter_shard(trainer);
}

/* The optimizer of a step: both learning rates fall in a line from the first step to the last. */
static Optimizer optimizer_at(const Trainer *trainer, size_t step) {
    const RunOptions *o = &trainer->options;
    double left = 1 - (1 - o->final_lr) * (double)step / (double)trainer->steps;
    return (Optimizer){o->sgd,
                       (float)(o->embedding_lr * left),
                       (float)(o->linear_lr * left),
                       o->freeze_embedding,
                       o->scale_grad_by_freq,
                       o->max_norm,
                       o->norm_type};
}

/* ---- the start ------------------------------------------------------------------------------- */

/* Adagrad's initial accumulators as multiples of options.accumulator: the smaller, the larger are
   the row's first steps. All rows of a bag get the same gradient; this decides who learns from it.
   Short n-grams and phrases, which come back in new texts, take large steps; the long n-grams that
   only refine them take small ones, and so do the few rows for echoes and columns, which are in
   nearly every bag (docs/learning.md). */
static void set_accumulators(Trainer *trainer) {
    const Vocabulary *vocabulary = trainer->vocabulary;
    size_t dim = trainer->options.dim;
    uint32_t bag[MAX_BAG];
    for (uint32_t row = 0; row < vocabulary->rows; row++) {
        float scale = row < vocabulary->end[PHRASE_ROWS] ? 0.05f : 3.5f;
        if (row < vocabulary->end[NGRAM_ROWS]) {
            scale = 0.1f;
            for (size_t k = bag_rows(vocabulary, row, NULL, bag); k > 3; k--) scale *= 3.1622777f;
        }
        float start = (float)trainer->options.accumulator * scale;
        for (size_t d = 0; d < dim; d++) trainer->sum.embedding[row * dim + d] = start;
    }
}

Trainer *trainer_start(Team *team, Vocabulary *vocabulary, const uint8_t *text, size_t length,
                       RunOptions options, const volatile sig_atomic_t *stop) {
    Trainer *trainer = allocate(1, sizeof *trainer, "the run");
    size_t rows = vocabulary->rows, dim = options.dim, members = (size_t)team_size(team);
    *trainer = (Trainer){.options = options, .team = team, .vocabulary = vocabulary};
    trainer->text = text;
    trainer->length = length;
    trainer->stop = stop;
    trainer->model = model_allocate(rows, dim);
    trainer->random = random_seeded(options.seed);
    model_start(&trainer->model, &trainer->random, (float)options.deviation);
    if (!options.sgd) {
        trainer->sum = model_allocate(rows, dim);
        if (options.accumulator > 0) set_accumulators(trainer);
    }
    if (options.reference) trainer->gradient = model_allocate(rows, dim);
    trainer->steps = epoch_steps(length, options.batch) * options.epochs;
    trainer->losses = allocate(RUN_STEPS, sizeof *trainer->losses, "the run");
    trainer->order = allocate(smaller(length, SHARD), sizeof *trainer->order, "the run");
    size_t batch = smaller(options.batch, length);
    trainer->round = 1024 / batch > members ? 1024 / batch : members; /* stays in the cache */
    size_t in_shard = divide_up(smaller(length, SHARD), options.batch);
    trainer->ahead_count = smaller(2 * trainer->round, in_shard);
    trainer->ahead = allocate(trainer->ahead_count, sizeof *trainer->ahead, "a batch");
    for (size_t i = 0; i < trainer->ahead_count; i++)
        trainer->ahead[i] = batch_allocate(batch, largest_bag(vocabulary));
    trainer->mark = allocate(members, sizeof *trainer->mark, "a batch");
    for (size_t m = 0; m < members; m++)
        trainer->mark[m] = allocate(rows, sizeof **trainer->mark, "a batch");
    trainer->state = step_start(trainer->model, trainer->sum, batch);
    trainer->alone = team_start(1);
    return trainer;
}

void trainer_end(Trainer *trainer) {
    for (size_t i = 0; i < trainer->ahead_count; i++) batch_free(&trainer->ahead[i]);
    for (int m = 0; m < team_size(trainer->team); m++) free(trainer->mark[m]);
    free(trainer->ahead);
    free(trainer->mark);
    step_free(&trainer->state);
    team_end(trainer->alone);
    model_free(&trainer->model);
    model_free(&trainer->sum);
    model_free(&trainer->gradient);
    free(trainer->losses);
    free(trainer->order);
    bags_free(&trainer->bags);
    free(trainer);
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* Steps of one shard. */
typedef struct {
    Trainer *trainer;
    size_t from, to, done;
    bool alone; /* member 0 learns while the others fill batches */
} Steps;

/* Fills the batch of a step. */
static void prepare(Trainer *trainer, int member, size_t step, SortedBatch *batch) {
    size_t first = (step - trainer->shard_step) * trainer->options.batch;
    batch_fill(batch, trainer->vocabulary, trainer->bags.beside, trainer->order + first,
               step_positions(trainer, step), trainer->mark[member]);
}

/* Learns from a batch; every member of the team calls it. */
static void take_step(Steps *steps, size_t step, const SortedBatch *batch, Team *team, int member) {
    Trainer *trainer = steps->trainer;
    Training training = {trainer->model, trainer->sum, trainer->gradient};
    const Optimizer optimizer = optimizer_at(trainer, step);
    if (trainer->options.reference)
        team_meet(team);
    else
        team_step(team, member, &trainer->state, &optimizer, batch);
    if (member > 0 || trainer->bad_loss) return;
    double loss = trainer->state.mean_loss;
    if (trainer->options.reference) loss = train_step(&training, &optimizer, &batch->batch);
    trainer->losses[steps->done++] = (float)loss;
    trainer->bad_loss = !isfinite((float)loss);
}

/* Members fill a round of batches and then learn from these together, one after the other. Or
   member 0 learns alone, from the round that the others filled before, while they fill the next.
   Rounds take turns between two places, and between two flags by which member 0 says whether to
   stop: some member may still be at the last round's. */
static void learn(Team *team, int member, void *argument) {
    Steps *steps = argument;
    Trainer *trainer = steps->trainer;
    size_t alone = steps->alone, fillers = (size_t)team_size(team) - alone, turn = 0, ready = 0;
    bool learns = member == 0 || !alone, fills = member > 0 || !alone;
    for (size_t step = steps->from; step < steps->to || ready > 0; turn = !turn) {
        SortedBatch *coming = trainer->ahead + turn * trainer->round, *filled = coming;
        size_t count = smaller(trainer->round, steps->to - step), learned = alone ? ready : count;
        if (alone) filled = trainer->ahead + !turn * trainer->round;
        for (size_t b = (size_t)member - alone; fills && b < count; b += fillers)
            prepare(trainer, member, step + b, &coming[b]);
        if (member == 0)
            trainer->stopping[turn] = trainer->bad_loss || (trainer->stop && *trainer->stop);
        for (size_t b = 0; learns && b < learned; b++)
            take_step(steps, step - alone * ready + b, &filled[b], alone ? trainer->alone : team,
                      member);
        if (alone) team_meet(team);
        if (trainer->stopping[turn]) return;
        ready = alone * count;
        step += count;
    }
}

/* Takes the next steps of a shard, at most up to `to`. Which way to learn is faster depends on the
   model, on the batch and on how long data take from one processor to the other: each is timed, and
   the slower one is tried again for 64 steps of every 8,192. Until both are timed, it takes
   64 steps at a time. Both give the same bits. */
static void take_steps(Steps *steps) {
    enum { TRIAL = 64, EVERY = 8192 };
    Trainer *trainer = steps->trainer;
    double *pace = trainer->pace, start = seconds_now();
    size_t within = steps->from % EVERY, before = steps->done;
    bool trial = within < TRIAL;
    steps->alone = (pace[1] < pace[0]) != trial && team_size(trainer->team) > 1;
    steps->to = smaller(steps->to, steps->from - within + (trial ? TRIAL : EVERY));
    if (pace[0] == 0) steps->to = smaller(steps->to, steps->from + TRIAL);
    team_run(trainer->team, learn, steps);
    if (steps->done > before)
        pace[steps->alone] = (seconds_now() - start) / (double)(steps->done - before);
}

size_t trainer_run(Trainer *trainer, size_t steps) {
    Steps next = {.trainer = trainer};
    trainer->stopping[0] = trainer->stopping[1] = false;
    step_load(&trainer->state);
    while (next.done < steps && trainer->step < trainer->steps && !trainer->bad_loss) {
        size_t before = next.done;
        if (trainer->stopping[0] || trainer->stopping[1]) break;
        if (trainer->step == trainer->shard_end) enter_shard(trainer);
        next.from = trainer->step;
        next.to = smaller(trainer->step + steps - before, trainer->shard_end);
        take_steps(&next);
        bool first = trainer->step == trainer->shard_step && next.done > before;
        if (first && trainer->step < epoch_steps(trainer->length, trainer->options.batch))
            bags_count(trainer->vocabulary, &trainer->bags);
        trainer->step += next.done - before;
    }
    return next.done;
}

double trainer_score(Trainer *trainer, const Bags *bags) {
    const Optimizer optimizer = optimizer_at(trainer, 0);
    text_renorm(&trainer->model, &optimizer, trainer->vocabulary, bags);
    return text_loss(trainer->team, &trainer->model, trainer->vocabulary, bags);
}
