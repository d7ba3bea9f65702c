/* speed.c: how fast training is, and how far each of its stages is from what this machine can do.

   usage: speed TEXT ORDER DIM BATCH THREADS     one line: characters per second while training
          speed TEXT ORDER DIM BATCH stages      a table of the stages, on one thread
          speed TEXT default                     all kinds of rows: list, look-up, training, memory, on all threads */
#include "../lib/memory.h"
#include "../lib/report.h"
#include "../lib/text.h"
#include "../lib/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static RunOptions run_options(size_t dim, size_t batch, bool characters_only) {
    return (RunOptions){.dim = dim, .batch = batch, .epochs = 1000, .rule = ADAGRAD, .embedding_rate = 0.1, .linear_rate = 0.02, .final_rate = 1,
                        .accumulator = characters_only ? 0 : 1 / ((double)batch * (double)batch), .deviation = characters_only ? 1 : 0.1, .seed = 1, .norm_type = 2};
}

/* The best of several stretches of about 0.2 s: other programs can only slow one down. */
static double characters_per_second(Trainer *trainer) {
    size_t batch = trainer->options.batch, steps = least(1 + 100000 / batch, RUN_STEPS);
    double best = 0;
    trainer_run(trainer, steps);
    for (int i = 0; i < 12; i++) {
        size_t done = 0;
        double start = seconds_now(), seconds;
        do done += trainer_run(trainer, steps);
        while ((seconds = seconds_now() - start) < 0.2);
        double rate = (double)(done * batch) / seconds;
        best = rate > best ? rate : best;
    }
    return best;
}

/* ---- ceilings ----------------------------------------------------------------------------------- */

/* Multiplications and additions per second of one core: one tile of a product again and again, all of it in the first-level cache. */
static double peak_flops(void) {
    enum { DEPTH = 128, ROUNDS = 20000, COLUMNS = WIDE * LANES };
    float a[HIGH * DEPTH], b[DEPTH * COLUMNS], out[HIGH * COLUMNS] = {0};
    double best = 0;
    for (int i = 0; i < HIGH * DEPTH; i++) a[i] = 1e-3f * (float)(i % 7);
    for (int i = 0; i < DEPTH * COLUMNS; i++) b[i] = 1e-3f * (float)(i % 5);
    for (int t = 0; t < 9; t++) {
        double start = seconds_now();
        for (int r = 0; r < ROUNDS; r++) multiply_tile(HIGH, WIDE, DEPTH, a, DEPTH, 1, b, COLUMNS, out, COLUMNS, out, COLUMNS);
        double rate = 2.0 * HIGH * COLUMNS * DEPTH * ROUNDS / (seconds_now() - start);
        best = rate > best ? rate : best;
    }
    for (int i = 0; i < HIGH * COLUMNS; i++) if (out[i] == 1) printf(" "); /* so that the sums are needed */
    return best;
}

/* Rows per second, visited in random order: only read, or two tables read and written. */
static double random_rows(size_t rows, size_t dim, bool written) {
    float *a = allocate(rows, dim * sizeof *a, "bench"), *b = allocate(rows, dim * sizeof *b, "bench"), sum[MAX_DIM] = {0};
    uint64_t *order = allocate(rows, sizeof *order, "bench");
    Random random = random_seeded(1);
    for (size_t i = 0; i < rows; i++) order[i] = i;
    random_shuffle(&random, order, (uint32_t)rows);
    double best = 0;
    for (int t = 0; t < 5; t++) {
        double start = seconds_now();
        for (size_t i = 0; i < rows; i++) {
            if (i + 16 < rows) prefetch_row(a + order[i + 16] * dim, dim);
            if (i + 16 < rows && written) prefetch_row(b + order[i + 16] * dim, dim);
            float *x = a + order[i] * dim, *y = b + order[i] * dim;
            if (written) for (size_t d = 0; d < dim; d++) y[d] += 1, x[d] += y[d];
            else for (size_t d = 0; d < dim; d++) sum[d] += x[d];
        }
        double rate = (double)rows / (seconds_now() - start);
        best = rate > best ? rate : best;
    }
    if (sum[0] == 1) printf(" ");
    free(a), free(b), free(order);
    return best;
}

/* ---- stages ------------------------------------------------------------------------------------- */

enum { BATCHES = 400, STAGES = 7 };

static void print_stages(Trainer *trainer) {
    static const char *names[STAGES] = {"find and group rows", "rows in (Embedding)", "logits (Linear)", "softmax, loss", "dlogits, dh", "linear layer's step", "rows' steps (Adagrad)"};
    size_t dim = trainer->options.dim, batch = trainer->options.batch, rows = trainer->model.rows;
    double seconds[STAGES] = {0}, positions = 0, contexts = 0, on = 0, distinct = 0;
    Model *model = &trainer->model;
    Layers *layers = &trainer->layers;
    Batch *b = &trainer->ahead[0];
    trainer_run(trainer, 1);
    trainer->optimizer.embedding_rate = trainer->optimizer.linear_rate = 1e-6f;
    for (size_t n = 0; n < BATCHES && (n + 1) * batch <= trainer->found.count; n++) {
        double t = seconds_now(), u;
        batch_fill(b, trainer->contexts, trainer->found.others, trainer->order + n * batch, batch, trainer->spare[0], trainer->mark[0]);
        u = seconds_now(), seconds[0] += u - t, t = u;
        contexts_forward(model, b, 0, b->size, layers->h);
        u = seconds_now(), seconds[1] += u - t, t = u;
        linear_forward(model, layers->h, b->size, layers->logits);
        u = seconds_now(), seconds[2] += u - t, t = u;
        softmax(layers->logits, b->size, layers->log_sum);
        u = seconds_now(), seconds[3] += u - t, t = u;
        piece_backward(model, &trainer->optimizer, b, layers, 0, b->size);
        u = seconds_now(), seconds[4] += u - t, t = u;
        linear_gradient(model, layers, b->size, false, layers->gradient);
        linear_update(model, &trainer->optimizer, layers, 1, 0, CHARACTERS);
        u = seconds_now(), seconds[5] += u - t, t = u;
        embedding_update(model, &trainer->optimizer, b, layers, 0, b->size);
        shared_update(model, &trainer->optimizer, b, layers, 0, b->shared);
        seconds[6] += seconds_now() - t;
        positions += (double)batch;
        on += b->on_start[b->size];
        contexts += (double)b->size;
        distinct += (double)b->distinct;
    }
    if (positions == 0) fail("the text has no whole batch of %zu positions to measure", batch);
    double flops = peak_flops(), read = random_rows(rows, dim, false), write = random_rows(rows, dim, true), lines = random_rows(rows, 16, false);
    double shared = contexts / positions, product = shared * 2.0 * CHARACTERS * (double)dim / flops * 1e9, on1 = on / positions, distinct1 = distinct / positions;
    /* Nanoseconds a character that the ceilings allow. Finding: a cache line for each distinct row's parent. Rows in: each distinct row once from
       memory. exp takes 22 operations. The linear layer's step adds 6 per weight. */
    double bound[STAGES] = {distinct1 / lines * 1e9, distinct1 / read * 1e9, product, shared * 22.0 * LOGITS / flops * 1e9, product + shared * 2.0 * LOGITS / flops * 1e9,
                            product + 6.0 * CHARACTERS * (double)dim / (double)batch / flops * 1e9, distinct1 / write * 1e9};
    printf("ceilings of one core: %.1f GFLOP/s of multiply and add; %.1f GB/s reading random rows, %.1f GB/s updating them\n", flops / 1e9,
           read * (double)dim * 4 / 1e9, write * (double)dim * 16 / 1e9);
    printf("batches of %zu positions, %.2f distinct contexts a position, %.1f rows on, %.1f distinct ones; %zu rows of %zu numbers\n", batch, shared, on1,
           distinct1, rows, dim);
    printf("%-24s %10s %10s %8s\n", "stage", "ns/char", "bound", "reached");
    double total = 0, total_bound = 0;
    for (int s = 0; s < STAGES; s++) {
        double ns = seconds[s] / positions * 1e9;
        printf("%-24s %10.1f %10.1f %7.0f%%\n", names[s], ns, bound[s], 100 * bound[s] / ns);
        total += ns;
        total_bound += bound[s];
    }
    printf("%-24s %10.1f %10.1f %7.0f%%\n", "sum of the stages", total, total_bound, 100 * total_bound / total);
    double whole = 1e9 / characters_per_second(trainer);
    printf("%-24s %10.1f %10.1f %7.0f%%\n", "training, one thread", whole, total_bound, 100 * total_bound / whole);
}

/* What a run with ./train's defaults takes: seconds to list, microseconds a character to look up and to train, memory. */
static void print_default(const char *path) {
    Text text = text_read(path, false);
    size_t split = (size_t)((double)text.length * 0.9);
    Team *team = team_start(processors());
    RowOptions rows = {.order = 7, .min_count = 1, .max_rows = 3000000, .phrases = true, .columns = true, .echoes = 7, .echo_keys = {2, 3, 4, 6, 8, 101, 102}};
    double start = seconds_now(), list, find;
    Contexts contexts = contexts_list(team, text.ids, split, rows);
    list = seconds_now() - start;
    Trainer *trainer = trainer_start(team, &contexts, text.ids, split, run_options(64, 256, false), NULL);
    start = seconds_now();
    trainer_run(trainer, 1);
    find = seconds_now() - start;
    double rate = characters_per_second(trainer);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%zu characters: listed in %.2f s, %u rows seen at least %u times, looked up in %.3f us/char, trained in %.3f us/char, %.0f MB of memory\n", text.length, list,
           (unsigned)contexts.rows, (unsigned)contexts.min_count, 1e6 * find / (double)trainer->found.count, 1e6 / rate, (double)usage.ru_maxrss / 1e3);
    trainer_end(trainer);
    contexts_free(&contexts);
    team_end(team);
    free(text.ids);
}

int main(int argc, char **argv) {
    set_program_name(argv[0]);
    if (argc == 3 && !strcmp(argv[2], "default")) {
        print_default(argv[1]);
        return 0;
    }
    if (argc != 6) wrong_use("give TEXT ORDER DIM BATCH and THREADS or stages");
    int order = atoi(argv[2]);
    size_t dim = strtoul(argv[3], NULL, 10), batch = strtoul(argv[4], NULL, 10);
    bool stages = strcmp(argv[5], "stages") == 0;
    if (order < 1 || order > MAX_ORDER || dim < 1 || dim > MAX_DIM || batch < 1 || (!stages && atoi(argv[5]) < 1)) wrong_use("a number is out of range");
    Text text = text_read(argv[1], false);
    size_t split = (size_t)((double)text.length * 0.9);
    Team *team = team_start(stages ? 1 : atoi(argv[5]));
    Contexts contexts = contexts_list(team, text.ids, split, (RowOptions){.order = order, .min_count = 2, .max_rows = 3000000});
    Trainer *trainer = trainer_start(team, &contexts, text.ids, split, run_options(dim, batch, order == 1), NULL);
    if (stages) print_stages(trainer);
    else printf("%.0f\n", characters_per_second(trainer));
    trainer_end(trainer);
    contexts_free(&contexts);
    team_end(team);
    free(text.ids);
    return 0;
}
