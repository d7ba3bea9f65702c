#include "trainer.h"

#include "memory.h"

static size_t divide_up(size_t a, size_t b) { return (a + b - 1) / b; }

size_t epoch_steps(size_t length, size_t batch) {
    return length / SHARD * divide_up(SHARD, batch) + divide_up(length % SHARD, batch);
}

/* Where a step falls: its shard's first position and length, and the shard's first step. */
typedef struct {
    size_t first, length, first_step;
} Place;

static Place place_of(const Trainer *trainer, size_t step) {
    size_t batch = trainer->options.batch, in_epoch = epoch_steps(trainer->length, batch);
    size_t shard = step % in_epoch / divide_up(SHARD, batch), first = shard * SHARD;
    return (Place){first, trainer->length - first < SHARD ? trainer->length - first : SHARD,
                   step / in_epoch * in_epoch + shard * divide_up(SHARD, batch)};
}

size_t step_positions(const Trainer *trainer, size_t step) {
    Place place = place_of(trainer, step);
    size_t done = (step - place.first_step) * trainer->options.batch;
    return place.length - done < trainer->options.batch ? place.length - done : trainer->options.batch;
}

/* Shuffles the shard in which the next step falls and looks up its rows. */
static void enter_shard(Trainer *trainer) {
    Place place = place_of(trainer, trainer->step);
    if (!trainer->found.count || trainer->found.first != place.first) {
        found_free(&trainer->found);
        trainer->found = contexts_find(trainer->team, trainer->contexts, trainer->text, place.first, place.length);
    }
    for (uint32_t i = 0; i < place.length; i++) trainer->order[i] = position(trainer->contexts, &trainer->found, i, i);
    trainer->shard_random = trainer->random;
    random_shuffle(&trainer->random, trainer->order, (uint32_t)place.length);
    trainer->shard_step = place.first_step;
    trainer->shard_end = place.first_step + divide_up(place.length, trainer->options.batch);
}

/* What Adagrad's sums of a row start with, as a multiple of options.accumulator: the smaller, the bolder the row's first
   steps. All rows of a context get the same gradient; this decides who learns from it. Short n-grams and
   phrases, which come back in new texts, are bold; the long n-grams that only refine them are
   careful, and so are the few rows for echoes and columns, which are on all the time (docs/learning.md). */
static float *row_caution(const Contexts *contexts) {
    float *caution = allocate(contexts->rows, sizeof *caution, "the run"), of_length[MAX_ORDER + 1];
    uint8_t *length = allocate(contexts->ngrams_end, 1, "the run");
    for (int k = 0; k <= MAX_ORDER; k++) of_length[k] = k <= 3 ? 0.1f : of_length[k - 1] * 3.1622777f;
    for (uint32_t row = 0; row < contexts->rows; row++) {
        if (row < contexts->ngrams_end) length[row] = row < CHARACTERS ? 1 : length[contexts->parent[row]] + 1;
        caution[row] = row < contexts->ngrams_end ? of_length[length[row]] : row < contexts->phrases_end ? 0.05f : 5;
    }
    free(length);
    return caution;
}

Trainer *trainer_start(Team *team, Contexts *contexts, const uint8_t *text, size_t length, RunOptions options,
                       const volatile sig_atomic_t *stop) {
    Trainer *trainer = allocate(1, sizeof *trainer, "the run");
    size_t rows = contexts->rows, dim = options.dim, members = (size_t)team_size(team);
    *trainer = (Trainer){.options = options, .team = team, .contexts = contexts, .text = text, .length = length, .stop = stop};
    trainer->model = model_allocate(rows, dim);
    trainer->random = random_seeded(options.seed);
    model_start(&trainer->model, &trainer->random, (float)options.deviation);
    trainer->optimizer = (Optimizer){.rule = options.rule,
                                     .freeze_embedding = options.freeze_embedding,
                                     .scale_grad_by_freq = options.scale_grad_by_freq,
                                     .max_norm = (float)options.max_norm,
                                     .norm_type = (float)options.norm_type};
    if (options.rule == ADAGRAD) {
        trainer->optimizer.embedding_sum = allocate(rows, dim * sizeof(float), "Adagrad's sums");
        trainer->optimizer.linear_sum = allocate(CHARACTERS, padded(dim) * sizeof(float), "Adagrad's sums");
        trainer->optimizer.bias_sum = allocate(LOGITS, sizeof(float), "Adagrad's sums");
        if (options.accumulator > 0) {
            float *caution = row_caution(contexts);
            for (size_t row = 0; row < rows; row++)
                for (size_t d = 0; d < dim; d++) trainer->optimizer.embedding_sum[row * dim + d] = (float)options.accumulator * caution[row];
            free(caution);
        }
    }
    size_t batch = options.batch < length ? options.batch : length; /* no batch has more positions than the text */
    trainer->steps = epoch_steps(length, options.batch) * options.epochs;
    trainer->losses = allocate(RUN_STEPS, sizeof *trainer->losses, "the run");
    trainer->order = allocate(length < SHARD ? length : SHARD, sizeof *trainer->order, "the order of positions");
    if (members > 1) trainer->alone = team_start(1);
    trainer->round = members > 1024 / batch ? members : 1024 / batch; /* 1,024 positions: members meet seldom, and batches stay in the cache */
    trainer->ahead_count = least(2 * trainer->round, divide_up(least(length, SHARD), options.batch)); /* no shard has more */
    trainer->ahead = allocate(trainer->ahead_count, sizeof *trainer->ahead, "a batch");
    for (size_t i = 0; i < trainer->ahead_count; i++) trainer->ahead[i] = batch_allocate(batch, most_rows_on(contexts));
    trainer->mark = allocate(members, sizeof *trainer->mark, "a batch");
    trainer->spare = allocate(members, sizeof *trainer->spare, "a batch");
    for (size_t m = 0; m < members; m++) {
        trainer->mark[m] = allocate(rows, sizeof **trainer->mark, "a batch");
        trainer->spare[m] = allocate(2 * batch, sizeof **trainer->spare, "a batch");
    }
    trainer->layers = layers_allocate(batch, dim, members);
    return trainer;
}

void trainer_end(Trainer *trainer) {
    for (size_t i = 0; i < trainer->ahead_count; i++) batch_free(&trainer->ahead[i]);
    for (int m = 0; m < team_size(trainer->team); m++) {
        free(trainer->mark[m]);
        free(trainer->spare[m]);
    }
    if (trainer->alone) team_end(trainer->alone);
    free(trainer->ahead);
    free(trainer->mark);
    free(trainer->spare);
    layers_free(&trainer->layers);
    model_free(&trainer->model);
    free(trainer->optimizer.embedding_sum);
    free(trainer->optimizer.linear_sum);
    free(trainer->optimizer.bias_sum);
    free(trainer->losses);
    free(trainer->order);
    found_free(&trainer->found);
    free(trainer);
}

void trainer_seek(Trainer *trainer, size_t step) {
    trainer->step = step;
    if (step < trainer->steps) enter_shard(trainer);
}

/* Both learning rates fall in a line from the first step to the last. */
static void set_rates(Optimizer *optimizer, const Trainer *trainer, size_t step) {
    const RunOptions *options = &trainer->options;
    double left = 1 - (1 - options->final_rate) * (double)step / (double)trainer->steps;
    optimizer->embedding_rate = (float)(options->embedding_rate * left);
    optimizer->linear_rate = (float)(options->linear_rate * left);
}

typedef struct {
    Trainer *trainer;
    size_t from, to; /* steps of one shard */
    size_t done;
} Stretch;

static void prepare(Trainer *trainer, int member, size_t step, Batch *batch) {
    const uint64_t *positions = trainer->order + (step - trainer->shard_step) * trainer->options.batch;
    batch_fill(batch, trainer->contexts, trainer->found.others, positions, step_positions(trainer, step), trainer->spare[member], trainer->mark[member]);
}

static void take_step(Stretch *stretch, Optimizer *optimizer, size_t step, const Batch *batch, Team *team, int member) {
    Trainer *trainer = stretch->trainer;
    set_rates(optimizer, trainer, step);
    model_step(&trainer->model, optimizer, batch, &trainer->layers, team, member);
    if (member > 0 || trainer->bad_step) return;
    trainer->losses[stretch->done++] = (float)trainer->layers.mean_loss;
    if (!isfinite((float)trainer->layers.mean_loss)) trainer->bad_step = step + 1;
}

static bool should_stop(const Trainer *trainer) { return trainer->bad_step || (trainer->stop && *trainer->stop); }

/* Members prepare a round of batches and then learn from these together, one after the other. Two rounds and two flags take turns:
   some member may still be at the last round's. */
static void learn_together(Team *team, int member, void *argument) {
    Stretch *stretch = argument;
    Trainer *trainer = stretch->trainer;
    size_t round = trainer->round, members = (size_t)team_size(team);
    Optimizer optimizer = trainer->optimizer; /* each member's own: only the learning rates change */
    for (size_t step = stretch->from, turn = 0, count; step < stretch->to; step += count, turn = !turn) {
        count = least(round, stretch->to - step);
        for (size_t b = (size_t)member; b < count; b += members) prepare(trainer, member, step + b, &trainer->ahead[turn * round + b]);
        if (member == 0) trainer->stopping[turn] = should_stop(trainer);
        for (size_t b = 0; b < count; b++) {
            take_step(stretch, &optimizer, step + b, &trainer->ahead[turn * round + b], team, member);
            if (trainer->stopping[turn]) return;
        }
    }
}

/* Member 0 learns from the batches of one round while the others prepare those of the next: where batches are small, or data
   take long from one processor to the other, members would pass them around for longer than they compute. */
static void learn_alone(Team *team, int member, void *argument) {
    Stretch *stretch = argument;
    Trainer *trainer = stretch->trainer;
    size_t round = trainer->round;
    Optimizer optimizer = trainer->optimizer;
    for (size_t step = stretch->from, ready = 0, turn = 0, count; step < stretch->to || ready; step += count, ready = count, turn = !turn) {
        size_t coming = turn * round, learned = !turn * round; /* places in `ahead` */
        count = least(round, stretch->to - step);
        for (size_t b = (size_t)member - 1; member > 0 && b < count; b += (size_t)team_size(team) - 1) prepare(trainer, member, step + b, &trainer->ahead[coming + b]);
        for (size_t b = 0; member == 0 && b < ready; b++) take_step(stretch, &optimizer, step - ready + b, &trainer->ahead[learned + b], trainer->alone, 0);
        if (member == 0) trainer->stopping[turn] = should_stop(trainer);
        team_meet(team);
        if (trainer->stopping[turn]) return;
    }
}

/* A stretch of a lap. A lap has 131,072 positions, 50 milliseconds or so, and 8 rounds at least; snapshots, evaluations and the ends of
   epochs may cut it into stretches. Both ways of learning give the same bits; which one is faster depends on batch, model and machine,
   and on a virtual machine that is moved about it changes. So it is measured: the faster one takes the laps, but for short trials
   of the other one, often at first; the first lap of all, where memory is touched for the first time, is short, too. One slow lap may be
   another program's fault: times grow by a tenth at most. */
static void run_lap(Trainer *trainer, Stretch *stretch) {
    enum { POSITIONS = 131072, TRIAL_POSITIONS = 16384, TRIAL_EVERY = 16 };
    size_t batch = trainer->options.batch, round = trainer->round, lap = trainer->laps, before = stretch->done;
    bool trial = trainer->alone && lap > 0 && ((lap & (lap - 1)) == 0 || lap % TRIAL_EVERY == 0), brief = trial || lap == 0;
    bool alone = trial != (trainer->lap_time[1] > 0 && trainer->lap_time[1] < trainer->lap_time[0]);
    size_t steps = divide_up(brief ? TRIAL_POSITIONS : POSITIONS, batch), rounds = brief ? 4 : 8;
    steps = steps > rounds * round ? steps : rounds * round;
    stretch->to = least(stretch->to, stretch->from + steps - trainer->lap_steps);
    double start = seconds_now();
    team_run(trainer->team, alone ? learn_alone : learn_together, stretch);
    trainer->lap_seconds += seconds_now() - start;
    size_t done = stretch->done - before;
    for (size_t i = 0; i < done; i++) trainer->lap_positions += step_positions(trainer, stretch->from + i);
    trainer->lap_steps += done;
    if (trainer->lap_steps < steps) return;
    double time = trainer->lap_seconds / (double)trainer->lap_positions, most = 1.1 * trainer->lap_time[alone];
    trainer->lap_time[alone] = most > 0 && time > most ? most : time;
    trainer->laps++;
    trainer->lap_steps = trainer->lap_positions = 0;
    trainer->lap_seconds = 0;
}

size_t trainer_run(Trainer *trainer, size_t steps) {
    size_t done = 0;
    trainer->stopping[0] = trainer->stopping[1] = false;
    while (done < steps && trainer->step < trainer->steps && !trainer->stopping[0] && !trainer->stopping[1]) {
        if (trainer->step == trainer->shard_end) enter_shard(trainer);
        Stretch stretch = {trainer, trainer->step, trainer->step + steps - done, done};
        if (stretch.to > trainer->shard_end) stretch.to = trainer->shard_end;
        run_lap(trainer, &stretch);
        bool first_batch = stretch.from == trainer->shard_step && stretch.done > done;
        if (first_batch && stretch.from < epoch_steps(trainer->length, trainer->options.batch)) contexts_count(trainer->contexts, &trainer->found);
        trainer->step += stretch.done - done;
        done = stretch.done;
        if (trainer->bad_step) break;
    }
    return done;
}
