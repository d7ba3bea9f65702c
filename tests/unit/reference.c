/* The fast step against the reference: after each of hundreds of random batches, lib/step.c and
   model.h have the same bits of weights, of Adagrad's sums and of the loss. */
#include "../../lib/memory.h"
#include "../../lib/step.h"
#include "../../lib/text.h"
#include "../check.h"

#include <stdlib.h>

enum { LENGTH = 6000, MOST = 1000, STEPS = 4, RUNS = 72 };

static uint32_t draw(uint32_t *state, uint32_t below) {
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(*state >> 4) * below) >> 28);
}

/* One of the two that are compared: a model and its sums at the start of the run. */
static Training start(size_t rows, size_t dim, uint32_t seed) {
    Training training = {model_allocate(rows, dim), model_allocate(rows, dim), {0}};
    Random random = random_seeded(seed);
    model_start(&training.model, &random, 1);
    for (size_t i = CHARACTERS * dim; i < rows * dim; i++)
        training.model.embedding[i] = random_uniform(&random) - 0.5f;
    for (size_t i = 0; i < rows * dim; i++) training.sum.embedding[i] = 1e-4f;
    return training;
}

static bool same_bits(const Model *a, const Model *b) {
    return !memcmp(a->embedding, b->embedding, a->rows * a->dim * sizeof(float)) &&
           !memcmp(a->linear, b->linear, linear_size(a->dim) * sizeof(float));
}

typedef struct {
    Step step;
    Optimizer optimizer;
    SortedBatch batch;
} Work;

static void take_step(Team *team, int member, void *argument) {
    Work *work = argument;
    team_step(team, member, &work->step, &work->optimizer, &work->batch);
}

/* What text_renorm must do: with max_norm, each row that these bags look up is shortened, once. */
static void renorm(Model *model, const Optimizer *optimizer, const Vocabulary *vocabulary,
                   const Bags *bags) {
    bool *done = allocate(vocabulary->rows, sizeof *done, "test");
    uint32_t rows[MAX_BAG];
    for (size_t i = 0; optimizer->max_norm > 0 && i < bags->count; i++) {
        const Beside *beside = bags->beside ? &bags->beside[i] : NULL;
        for (size_t r = bag_rows(vocabulary, bags->ngram[i], beside, rows); r-- > 0;)
            if (!done[rows[r]]) {
                embedding_renorm(optimizer, model->dim, model->embedding + rows[r] * model->dim);
                done[rows[r]] = true;
            }
    }
    free(done);
}

/* Batches of at most so many random positions, some twice. */
static void compare(const Vocabulary *vocabulary, const Bags *bags, Team *team, Optimizer optimizer,
                    size_t dim, uint32_t most, uint32_t *state) {
    static const uint32_t sizes[] = {1, 2, 15, 16, 17, 63, 65, 200, 511, 512, 513, MOST};
    uint32_t seed = draw(state, 1 << 20), *mark = allocate(vocabulary->rows, sizeof *mark, "test");
    Training fast = start(vocabulary->rows, dim, seed);
    Training reference = start(vocabulary->rows, dim, seed);
    reference.gradient = model_allocate(vocabulary->rows, dim);
    Work work = {step_start(fast.model, optimizer.sgd ? (Model){0} : fast.sum, most), optimizer,
                 batch_allocate(most, largest_bag(vocabulary))};
    size_t wrong = 0;
    uint64_t positions[MOST];
    for (size_t s = 0; s < STEPS; s++) {
        uint32_t any = draw(state, most) + 1;
        uint32_t count = s % 2 ? any : sizes[draw(state, sizeof sizes / sizeof *sizes)];
        if (count > most) count = most;
        for (size_t b = 0; b < count; b++) {
            uint32_t i = draw(state, (uint32_t)bags->count);
            positions[b] = position(vocabulary, bags, i, i);
        }
        batch_fill(&work.batch, vocabulary, bags->beside, positions, count, mark);
        team_run(team, take_step, &work);
        double loss = train_step(&reference, &optimizer, &work.batch.batch);
        bool same = same_bits(&fast.model, &reference.model);
        same &= optimizer.sgd || same_bits(&fast.sum, &reference.sum);
        wrong += !same || memcmp(&loss, &work.step.mean_loss, sizeof loss) || !isfinite(loss);
    }
    text_renorm(&fast.model, &optimizer, vocabulary, bags);
    renorm(&reference.model, &optimizer, vocabulary, bags);
    wrong += !same_bits(&fast.model, &reference.model);
    check(wrong == 0,
          "%s%s%s, norm %g, dim %zu, %d threads, order %d: %d batches, %zu of them not alike",
          optimizer.sgd ? "sgd" : "adagrad", optimizer.freeze_embedding ? ", frozen" : "",
          optimizer.scale_grad_by_freq ? ", by frequency" : "",
          optimizer.max_norm > 0 ? optimizer.norm_type : 0, dim, team_size(team),
          vocabulary->options.order, STEPS, wrong);
    Model *models[] = {&fast.model, &fast.sum, &reference.model, &reference.sum,
                       &reference.gradient};
    for (int m = 0; m < 5; m++) model_free(models[m]);
    step_free(&work.step);
    batch_free(&work.batch);
    free(mark);
}

int main(void) {
    static const size_t dims[] = {1, 3, 10, 33, 64, 100};
    static const int threads[] = {1, 2, 3, 8};
    static const double norms[] = {0, 1, 2, 3.5, INFINITY}; /* 0: rows may have any norm */
    RowOptions kinds[] = {
        {.order = 1}, {.order = 4}, {.order = 5, .phrases = true, .columns = true}};
    kinds[2].echoes = 2;
    kinds[2].echo_keys[0] = 3;
    kinds[2].echo_keys[1] = ECHO_WORDS + 1;
    Text text = text_read("data/text.txt", true);
    uint32_t state = 1;
    for (size_t run = 0; run < RUNS; run++) {
        RowOptions rows = kinds[run % 3];
        rows.min_count = 1;
        rows.max_rows = UINT32_MAX;
        Optimizer optimizer = {.sgd = run / 3 % 2, .scale_grad_by_freq = run / 6 % 2};
        optimizer.freeze_embedding = run / 12 % 3 == 1;
        optimizer.norm_type = norms[run % 5];
        optimizer.max_norm = run % 5 ? 0.6 : 0;
        optimizer.embedding_lr = optimizer.sgd ? 5 : 0.1f;
        optimizer.linear_lr = optimizer.sgd ? 0.5f : 0.03f;
        Team *team = team_start(threads[(run / 3 + run / 12) % 4]);
        Vocabulary vocabulary = vocabulary_list(text.ids, LENGTH, rows);
        Bags bags = bags_find(team, &vocabulary, text.ids, 0, LENGTH);
        compare(&vocabulary, &bags, team, optimizer, dims[(run + run / 6) % 6], MOST, &state);
        if (run < 12 && rows.order == 1) /* memory and dim without room to spare */
            compare(&vocabulary, &bags, team, optimizer, MAX_DIM, 5, &state);
        bags_free(&bags);
        vocabulary_free(&vocabulary);
        team_end(team);
    }
    free(text.ids);
    return 0;
}
