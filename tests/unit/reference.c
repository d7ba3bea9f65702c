/* The fast step against the reference: after each of hundreds of random batches, lib/step.c and
   model.h have the same bits of weights, of Adagrad's sums and of the loss. */
#include "../../lib/memory.h"
#include "../../lib/step.h"
#include "../../lib/text.h"
#include "../check.h"

#include <stdlib.h>

enum { LENGTH = 6000, MOST = 1000, STEPS = 4 };

static uint32_t draw(uint32_t *state, uint32_t below) {
    *state = *state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)(*state >> 4) * below) >> 28);
}

/* One of the two that are compared: a model and its sums at the start of the run. */
static void start(Training *training, size_t rows, size_t dim, uint32_t seed) {
    *training = (Training){.model = model_allocate(rows, dim), .sum = model_allocate(rows, dim)};
    Random random = random_seeded(seed);
    model_start(&training->model, &random, 1);
    for (size_t i = CHARACTERS * dim; i < rows * dim; i++)
        training->model.embedding[i] = random_uniform(&random) - 0.5f;
    for (size_t i = 0; i < rows * dim; i++) training->sum.embedding[i] = 1e-4f;
}

static void end(Training *training) {
    model_free(&training->model);
    model_free(&training->sum);
    model_free(&training->gradient);
}

static bool same_bits(const Model *a, const Model *b) {
    size_t embedding = a->rows * a->dim * sizeof(float),
           linear = linear_size(a->dim) * sizeof(float);
    return !memcmp(a->embedding, b->embedding, embedding) && !memcmp(a->linear, b->linear, linear);
}

typedef struct {
    Training fast;
    Step step;
    Optimizer optimizer;
    SortedBatch batch;
} Work;

static void take_step(Team *team, int member, void *argument) {
    Work *work = argument;
    team_step(team, member, &work->step, &work->optimizer, &work->batch);
}

/* Batches of random positions, some twice; their number goes down to 1. */
static void compare(const Vocabulary *vocabulary, const Bags *bags, Team *team, Optimizer optimizer,
                    size_t dim, const char *name, uint32_t *state) {
    Training reference;
    Work work = {.optimizer = optimizer};
    uint32_t seed = draw(state, 1 << 20), *mark = allocate(vocabulary->rows, sizeof *mark, "test");
    start(&work.fast, vocabulary->rows, dim, seed);
    start(&reference, vocabulary->rows, dim, seed);
    reference.gradient = model_allocate(vocabulary->rows, dim);
    work.batch = batch_allocate(MOST, largest_bag(vocabulary));
    work.step = step_start(work.fast.model, optimizer.sgd ? (Model){0} : work.fast.sum, MOST);
    static const uint32_t sizes[] = {1, 2, 15, 16, 17, 63, 65, 200, 511, 512, 513, MOST};
    size_t wrong = 0;
    uint64_t positions[MOST];
    for (size_t s = 0; s < STEPS; s++) {
        uint32_t any = draw(state, MOST) + 1;
        uint32_t count = s % 2 ? any : sizes[draw(state, sizeof sizes / sizeof *sizes)];
        for (size_t b = 0; b < count; b++) {
            uint32_t i = draw(state, (uint32_t)bags->count);
            positions[b] = position(vocabulary, bags, i, i);
        }
        batch_fill(&work.batch, vocabulary, bags->beside, positions, count, mark);
        team_run(team, take_step, &work);
        double loss = train_step(&reference, &optimizer, &work.batch.batch);
        bool same = same_bits(&work.fast.model, &reference.model);
        same &= optimizer.sgd || same_bits(&work.fast.sum, &reference.sum);
        wrong += !same || memcmp(&loss, &work.step.mean_loss, sizeof loss) || !isfinite(loss);
    }
    check(wrong == 0, "%s, dim %zu, %d threads, order %d: %d batches, %zu of them not alike", name,
          dim, team_size(team), vocabulary->options.order, STEPS, wrong);
    end(&work.fast);
    end(&reference);
    step_free(&work.step);
    batch_free(&work.batch);
    free(mark);
}

static const struct {
    const char *name;
    Optimizer optimizer;
} optimizers[] = {
    {"adagrad", {.embedding_lr = 0.1f, .linear_lr = 0.03f}},
    {"sgd", {.sgd = true, .embedding_lr = 10, .linear_lr = 0.5f}},
    {"adagrad, frozen", {.embedding_lr = 0.1f, .linear_lr = 0.03f, .freeze_embedding = true}},
    {"sgd, frozen", {.sgd = true, .linear_lr = 0.5f, .freeze_embedding = true}},
    {"adagrad, by frequency",
     {.embedding_lr = 0.1f, .linear_lr = 0.03f, .scale_grad_by_freq = true}},
    {"sgd, by frequency",
     {.sgd = true, .embedding_lr = 5, .linear_lr = 0.5f, .scale_grad_by_freq = true}},
    {"norm 1", {.embedding_lr = 0.1f, .linear_lr = 0.03f, .max_norm = 0.9, .norm_type = 1}},
    {"norm 2",
     {.sgd = true, .embedding_lr = 5, .linear_lr = 0.5f, .max_norm = 0.7, .norm_type = 2}},
    {"norm 3.5", {.embedding_lr = 0.1f, .linear_lr = 0.03f, .max_norm = 0.5, .norm_type = 3.5}},
    {"norm 2, frozen",
     {.linear_lr = 0.03f, .freeze_embedding = true, .max_norm = 0.7, .norm_type = 2}},
    {"norm 2, by frequency",
     {.embedding_lr = 0.1f,
      .linear_lr = 0.03f,
      .scale_grad_by_freq = true,
      .max_norm = 0.7,
      .norm_type = 2}},
    {"norm inf",
     {.embedding_lr = 0.1f, .linear_lr = 0.03f, .max_norm = 0.3, .norm_type = INFINITY}},
};

int main(void) {
    static const size_t dims[] = {1, 3, 10, 33, 64, 100};
    static const int threads[] = {1, 2, 3, 8};
    static const RowOptions kinds[] = {
        {.order = 1, .min_count = 1, .max_rows = UINT32_MAX},
        {.order = 4, .min_count = 1, .max_rows = UINT32_MAX},
        {.order = 5,
         .min_count = 1,
         .max_rows = UINT32_MAX,
         .phrases = true,
         .columns = true,
         .echoes = 2,
         .echo_keys = {3, ECHO_WORDS + 1}},
    };
    Text text = text_read("data/text.txt", true);
    uint32_t state = 1;
    size_t run = 0;
    for (size_t k = 0; k < 3; k++) {
        for (size_t o = 0; o < sizeof optimizers / sizeof *optimizers; o++)
            for (size_t d = 0; d < 2; d++, run++) {
                Team *team = team_start(threads[(run + k) % 4]);
                Vocabulary vocabulary = vocabulary_list(text.ids, LENGTH, kinds[k]);
                Bags bags = bags_find(team, &vocabulary, text.ids, 0, LENGTH);
                compare(&vocabulary, &bags, team, optimizers[o].optimizer,
                        dims[(run + run / 6) % 6], optimizers[o].name, &state);
                bags_free(&bags);
                vocabulary_free(&vocabulary);
                team_end(team);
            }
    }
    free(text.ids);
    return 0;
}
