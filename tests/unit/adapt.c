/* Learning while a text is read, against the definition in docs/learning.md, in double. */
#include "../../lib/adapt.h"
#include "../../lib/text.h"
#include "../check.h"

#include <stdlib.h>
#include <string.h>

#define FOLDER "build/test/adapt"
#define MODEL FOLDER "/model.safetensors"
enum { FIRST = 1200, READ = 650, DIM = 3, LEARNERS = 3, BATCH = 32, NGRAM = 5 };
enum { ROWS = 6000, LINEAR = CHARACTERS * (DIM + 1) };

/* Rates of the rows and of the linear layer; Adagrad's sums at the start, in squares of 1 / BATCH:
   of a row that was seen once, of new rows, of the linear layer. */
static const double paces[LEARNERS][5] = {
    {0, 0, 1, 1, 1}, {0.1, 0, 0.1, INFINITY, 1}, {0.5, 0.06, 0.5, 10, 10}};

typedef struct {
    double rows[ROWS][DIM], linear[LINEAR]; /* of each character DIM weights and the bias */
} Weights;

static Weights before, weights[LEARNERS], sums[LEARNERS], gradient;

/* A model of other weights than any text gives, that knows rows of the text's beginning. */
static SavedModel random_model(const Text *text, const char *lr) {
    RowOptions options = {.order = 3, .min_count = 2, .max_rows = UINT32_MAX, .phrases = true};
    Vocabulary vocabulary = vocabulary_list(text->ids, FIRST, options);
    Model model = model_allocate(vocabulary.rows, DIM);
    Random random = random_seeded(1);
    model_start(&model, &random, 1);
    random_normal(&random, model.embedding, vocabulary.rows * (size_t)DIM, 1);
    Metadata metadata = {0};
    metadata_add(&metadata, "format", "pt");
    metadata_add(&metadata, "order", "3");
    metadata_add(&metadata, "lr", "%s", lr);
    TensorFile file = model_file(MODEL, &model, &vocabulary, vocabulary.count, metadata);
    Writer writer = {0};
    tensors_prepare(&file, MODEL);
    tensors_write(&file, &writer, entry_of(MODEL));
    writer_finish(&writer);
    tensors_close(&file);
    model_free(&model);
    vocabulary_free(&vocabulary);
    return model_open(MODEL);
}

/* The bag of a place: the model's rows; then, of each n-gram that is longer than the model's and
   stands in what is read twice, a row by the place where it ends first and its length. */
static size_t slow_bag(const SavedModel *saved, const Bags *bags, const uint8_t *text, size_t i,
                       uint32_t *bag) {
    size_t known = bag_rows(&saved->vocabulary, bags->ngram[i], NULL, bag);
    size_t count = bag_rows(&saved->vocabulary, bags->ngram[i], &bags->beside[i], bag);
    for (size_t k = known + 1; k <= NGRAM; k++) {
        size_t times = 0, first = 0;
        for (size_t end = bags->count; end >= k; end--)
            if (!memcmp(text + FIRST + end - k, text + FIRST + i - k, k)) times++, first = end;
        if (times >= 2) bag[count++] = (uint32_t)(saved->model.rows + NGRAM * first + k - 1);
    }
    return count;
}

static void forward(const Weights *w, const uint32_t *bag, size_t n, double *h, double *p) {
    double sum = 0;
    for (size_t d = 0; d < DIM; d++) h[d] = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < DIM; d++) h[d] += w->rows[bag[i]][d];
    h[DIM] = 1;
    for (size_t c = 0; c < CHARACTERS; c++) {
        p[c] = 0;
        for (size_t d = 0; d <= DIM; d++) p[c] += w->linear[c * (DIM + 1) + d] * h[d];
        sum += p[c] = exp(p[c]);
    }
    for (size_t c = 0; c < CHARACTERS; c++) p[c] /= sum;
}

static void adagrad(double rate, size_t n, const double *g, double *sum, double *w) {
    for (size_t i = 0; i < n; i++) {
        sum[i] += g[i] * g[i];
        w[i] -= rate * g[i] / (sqrt(sum[i]) + 1e-10);
    }
}

static void slow_start(const SavedModel *saved) {
    const Model *model = &saved->model;
    memset(&before, 0, sizeof before);
    for (size_t row = 0; row < model->rows; row++)
        for (size_t d = 0; d < DIM; d++)
            before.rows[row][d] = (double)model->embedding[row * DIM + d];
    for (size_t c = 0; c < CHARACTERS; c++) {
        for (size_t d = 0; d < DIM; d++)
            before.linear[c * (DIM + 1) + d] = (double)model->linear[c * DIM + d];
        before.linear[c * (DIM + 1) + DIM] = (double)model->bias[c];
    }
    for (size_t l = 0; l < LEARNERS; l++) {
        weights[l] = before;
        for (size_t i = 0; i < LINEAR; i++) sums[l].linear[i] = paces[l][4] / (BATCH * BATCH);
        for (size_t row = 0; row < ROWS; row++)
            for (size_t d = 0; d < DIM; d++) {
                double seen = row < model->rows ? (double)saved->vocabulary.count[row] : 0;
                double start = row < model->rows ? paces[l][2] * fmax(seen, 1) : paces[l][3];
                sums[l].rows[row][d] = start / (BATCH * BATCH);
            }
    }
}

typedef struct {
    uint32_t bag[BATCH][MAX_BAG];
    size_t size, count[BATCH];
    const uint8_t *targets;
} Slow;

static void slow_learn(size_t l, double share, const Slow *batch) {
    static bool met[ROWS];
    double h[DIM + 1], p[CHARACTERS];
    memset(met, 0, sizeof met);
    memset(&gradient, 0, sizeof gradient);
    for (size_t b = 0; b < batch->size; b++) {
        forward(&weights[l], batch->bag[b], batch->count[b], h, p);
        p[batch->targets[b]] -= 1;
        for (size_t i = 0; i < LINEAR; i++) {
            size_t c = i / (DIM + 1), d = i % (DIM + 1);
            double g = p[c] / (double)batch->size;
            gradient.linear[i] += g * h[d];
            for (size_t r = 0; d < DIM && r < batch->count[b]; r++)
                gradient.rows[batch->bag[b][r]][d] += g * weights[l].linear[i];
        }
        for (size_t r = 0; r < batch->count[b]; r++) met[batch->bag[b][r]] = true;
    }
    adagrad(paces[l][1] * share, LINEAR, gradient.linear, sums[l].linear, weights[l].linear);
    for (size_t row = 0; row < ROWS; row++) {
        double *w = weights[l].rows[row];
        if (!met[row]) continue;
        adagrad(paces[l][0] * share, DIM, gradient.rows[row], sums[l].rows[row], w);
        for (size_t d = 0; d < DIM; d++) w[d] += 0.0015 * (before.rows[row][d] - w[d]);
    }
}

/* The mean loss, and how many rows of the bags were new. */
static double slow_loss(const SavedModel *saved, const Bags *bags, const uint8_t *text,
                        double share, size_t *new_rows) {
    double total = 0, trust[LEARNERS] = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    Slow batch;
    slow_start(saved);
    *new_rows = 0;
    for (size_t from = 0; from < bags->count; from += batch.size) {
        batch.targets = text + FIRST + from;
        batch.size = from + BATCH <= bags->count ? BATCH : bags->count - from;
        for (size_t b = 0; b < batch.size; b++) {
            double h[DIM + 1], p[CHARACTERS], heard[LEARNERS], mixed = 0;
            batch.count[b] = slow_bag(saved, bags, text, from + b, batch.bag[b]);
            for (size_t r = 0; r < batch.count[b]; r++)
                *new_rows += batch.bag[b][r] >= saved->model.rows;
            for (size_t l = 0; l < LEARNERS; l++) {
                forward(&weights[l], batch.bag[b], batch.count[b], h, p);
                heard[l] = p[batch.targets[b]];
                mixed += trust[l] * heard[l];
            }
            for (size_t l = 0; l < LEARNERS; l++)
                trust[l] = 0.998 * trust[l] * heard[l] / mixed + 0.002 / LEARNERS;
            total -= log(mixed);
        }
        for (size_t l = 1; l < LEARNERS; l++) slow_learn(l, share, &batch);
    }
    return total / (double)bags->count;
}

static void test_loss(const Text *text, const char *lr, double share, size_t count) {
    SavedModel saved = random_model(text, lr);
    Team *team = team_start(1);
    Bags bags = bags_find(team, &saved.vocabulary, text->ids, FIRST, count);
    size_t new_rows;
    double loss = adapting_loss(&saved, &bags);
    double expected = slow_loss(&saved, &bags, text->ids, share, &new_rows);
    check(close_to(loss, expected, 1e-6) && new_rows > 0,
          "trained with lr %s: the loss is %.7f, by definition %.7f, %zu times with new rows", lr,
          loss, expected, new_rows);
    bags_free(&bags);
    team_end(team);
    model_close(&saved);
}

int main(void) {
    if (system("mkdir -p " FOLDER)) return 3;
    Text text = text_read("data/text.txt", true);
    test_loss(&text, "0.1", 1, READ);
    test_loss(&text, "0.1", 1, 70); /* as long as none is much ahead of the others */
    test_loss(&text, "0.05", 0.5, READ);
    test_loss(&text, "0.4", 1, READ);
    free(text.ids);
    return 0;
}
