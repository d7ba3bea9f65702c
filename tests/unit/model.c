/* the model's parts against mathematics: exact functions, start, layers, gradients, updates. */
#include "../../model.h"

#include "../../lib/batches.h"
#include "../../lib/memory.h"
#include "../../lib/report.h"
#include "../../lib/text.h"
#include "../../lib/trainer.h"
#include "../check.h"

/* ---- characters ------------------------------------------------------------------------------- */

static void test_characters(void) {
    const char *printable = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c";
    bool order = true, inverse = true;
    for (int id = 0; id < CHARACTERS; id++) {
        order &= character_of((uint8_t)id) == printable[id];
        inverse &= id_of((unsigned char)printable[id]) == id;
    }
    int others = 0;
    for (int byte = 0; byte < 256; byte++) others += id_of((unsigned char)byte) < 0;
    check(order, "ids 0..99 are string.printable in its order");
    check(inverse && others == 156, "100 bytes have an id, 156 have none");
}

/* ---- exact functions -------------------------------------------------------------------------- */

static void test_exact(void) {
    double worst = 0;
    for (double x = -87; x <= 0; x += 0.0137) {
        float values[LANES];
        for (int i = 0; i < LANES; i++) values[i] = (float)x;
        exact_exps((Floats *)values, 1);
        for (int i = 0; i < LANES; i++) worst = fmax(worst, fabs((double)values[i] / exp((double)(float)x) - 1));
    }
    check(worst < 3e-7, "exact_exps agrees with exp to %.1e", worst);
    worst = 0;
    for (double x = 1e-30; x < 1e30; x *= 1.037) worst = fmax(worst, fabs(exact_log(x) - log(x)) / fmax(1, fabs(log(x))));
    check(worst < 5e-16, "exact_log agrees with log to %.1e", worst);
    worst = 0;
    for (double turn = 0; turn < 1; turn += 1.0 / 4093)
        worst = fmax(worst, fmax(fabs(exact_cos_turns(turn) - cos(6.283185307179586 * turn)), fabs(exact_sin_turns(turn) - sin(6.283185307179586 * turn))));
    check(worst < 2e-15, "exact_cos_turns and exact_sin_turns agree with cos and sin to %.1e", worst);
    worst = 0;
    for (double x = -600; x < 600; x += 0.731) worst = fmax(worst, fabs(exact_exp(x) / exp(x) - 1));
    check(worst < 5e-13, "exact_exp agrees with exp to %.1e", worst);
    worst = 0;
    for (double x = 1e-19; x < 1e30; x *= 1.0937) {
        Floats value = {(float)x}, inverse;
        exact_inverse_roots(&value, &inverse, 1);
        worst = fmax(worst, fabs((double)inverse[0] * sqrt((double)(float)x) - 1));
    }
    Floats tiny = {0, 1e-30f}, most;
    exact_inverse_roots(&tiny, &most, 1);
    check(worst < 3e-7 && most[0] == 1e10f && most[1] == 1e10f, "exact_inverse_roots agrees with 1 / sqrt to %.1e, and is at most 1e10", worst);
    float v[] = {3, -4, 0.5f};
    check(close_to(exact_norm(v, 3, 2), sqrt(25.25), 1e-12) && close_to(exact_norm(v, 3, 1), 7.5, 1e-9) &&
              close_to(exact_norm(v, 3, INFINITY), 4, 0) && close_to(exact_norm(v, 3, 3), cbrt(27 + 64 + 0.125), 1e-9),
          "exact_norm has the norms 1, 2, 3 and infinity");
    float five[] = {5, -1, 0}, large[] = {3e38f, -3e38f}, small[] = {3e-38f, 3e-38f}, ones[64];
    for (int i = 0; i < 64; i++) ones[i] = 1;
    check(close_to(exact_norm(five, 3, 1000), 5, 1e-9) &&
              close_to(exact_norm(five, 3, 1e30), 5, 1e-9) &&
              close_to(exact_norm(large, 2, 3) / 3e38, cbrt(2), 1e-6) &&
              close_to(exact_norm(large, 2, 50) / 3e38, pow(2, 0.02), 1e-6) &&
              close_to(exact_norm(large, 2, 2) / 3e38, sqrt(2), 1e-6) &&
              close_to(exact_norm(small, 2, 50) / 3e-38, pow(2, 0.02), 1e-6),
          "exact_norm has norms of large and small numbers, of large p");
    check(close_to(exact_norm(ones, 64, 0.01) / pow(64, 100), 1, 1e-9) &&
              exact_norm(ones, 64, 1e-3) == INFINITY,
          "exact_norm has norms of small p, infinite where no double is as large");
}

/* ---- the start -------------------------------------------------------------------------------- */

/* Known values of PyTorch 1.13 on the CPU: torch.manual_seed(1); torch.nn.Embedding(100, 10).weight[0, 0:5] and [99, 5:10];
   then torch.nn.Linear(10, 100).weight[0, 0:3] and .bias[0:2]; then torch.randperm(10). tests/golden.py prints more of them. */
static void test_known_generator(void) {
    Random random = random_seeded(5489);
    uint32_t first = random_bits(&random), last = 0;
    for (int i = 1; i < 10000; i++) last = random_bits(&random);
    check(first == 3499211612u && last == 4123659995u, "MT19937 seeded with 5489 gives its published first and 10,000th number");
    uint64_t order[1000];
    uint32_t seen = 0;
    for (uint32_t i = 0; i < 1000; i++) order[i] = i;
    random_shuffle(&random, order, 1000);
    bool present[1000] = {false};
    for (int i = 0; i < 1000; i++) present[order[i]] = true;
    for (int i = 0; i < 1000; i++) seen += present[i];
    check(seen == 1000, "random_shuffle loses nothing");
    float values[10007];
    random_normal(&random, values, 10007, 2);
    double sum = 0, squares = 0;
    for (int i = 0; i < 10007; i++) sum += (double)values[i], squares += (double)values[i] * (double)values[i];
    check(fabs(sum / 10007) < 0.08 && fabs(sqrt(squares / 10007) - 2) < 0.06, "random_normal has mean 0 and its deviation (%.3f, %.3f)", sum / 10007,
          sqrt(squares / 10007));
}

/* ---- layers and gradients --------------------------------------------------------------------- */

static float any(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-24f - 0.5f;
}

static void test_multiply(void) {
    enum { COLUMNS = 7 * LANES }; /* so that strips of all widths come up */
    float a[17 * 13], b[13 * COLUMNS], start[COLUMNS], out[17 * COLUMNS];
    uint32_t state = 1;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) a[i] = any(&state);
    for (size_t i = 0; i < sizeof b / sizeof *b; i++) b[i] = any(&state);
    for (int i = 0; i < COLUMNS; i++) start[i] = any(&state);
    bool same = true;
    for (size_t rows = 1; rows <= 17; rows++)
        for (int turned = 0; turned < 2; turned++) {
            multiply(rows, COLUMNS, 13, a, turned ? 1 : 13, turned ? rows : 1, b, COLUMNS, turned ? NULL : start, 0, out, COLUMNS);
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < COLUMNS; j++) {
                    float sum = turned ? 0 : start[j];
                    for (size_t k = 0; k < 13; k++) sum += (turned ? a[k * rows + i] : a[i * 13 + k]) * b[k * COLUMNS + j];
                    same &= sum == out[i * COLUMNS + j];
                    out[i * COLUMNS + j] = sum;
                }
            float twice[17 * COLUMNS];
            memcpy(twice, out, rows * COLUMNS * sizeof(float));
            multiply(rows, COLUMNS, 13, a, turned ? 1 : 13, turned ? rows : 1, b, COLUMNS, out, COLUMNS, out, COLUMNS);
            for (size_t i = 0; i < rows; i++)
                for (size_t j = 0; j < COLUMNS; j++) {
                    for (size_t k = 0; k < 13; k++) twice[i * COLUMNS + j] += (turned ? a[k * rows + i] : a[i * 13 + k]) * b[k * COLUMNS + j];
                    same &= twice[i * COLUMNS + j] == out[i * COLUMNS + j];
                }
        }
    check(same, "multiply gives the bits of the plain triple loop, for 1 to 17 rows, turned or not, and added to what is there");
}

enum { ROWS = 130, SIZE = 150 /* four parts, each of more than one piece */ };

/* The mean loss of a batch, in double, by the definition. */
static double plain_loss(const double *embedding, const double *linear, const double *bias, size_t dim, const Batch *batch) {
    double total = 0, h[64], logits[CHARACTERS];
    for (size_t b = 0; b < batch->size; b++) {
        for (size_t d = 0; d < dim; d++) h[d] = 0;
        for (uint32_t i = batch->on_start[b]; i < batch->on_start[b + 1]; i++)
            for (size_t d = 0; d < dim; d++) h[d] += embedding[batch->on[i] * dim + d];
        double sum = 0;
        for (size_t c = 0; c < CHARACTERS; c++) {
            logits[c] = bias[c];
            for (size_t d = 0; d < dim; d++) logits[c] += linear[c * dim + d] * h[d];
            sum += exp(logits[c]);
        }
        total += log(sum) - logits[batch->next[b]];
    }
    return total / (double)batch->size;
}

/* The largest difference between the gradients and central differences of plain_loss. The step's gradients are read
   off an SGD step with rate 1: new = old - gradient. */
static void test_gradients(size_t dim, int members) {
    uint32_t state = 7;
    Model model = model_allocate(ROWS, dim);
    Random random = random_seeded(3);
    model_start(&model, &random, 1);
    for (size_t i = CHARACTERS * dim; i < ROWS * dim; i++) model.embedding[i] = any(&state);
    Batch batch = batch_allocate(SIZE, 3);
    uint32_t on = 0, mark[ROWS] = {0};
    batch.size = SIZE;
    for (uint32_t b = 0; b < SIZE; b++) { /* position b has b % 4 rows on, some of them on elsewhere too; position 0 has none */
        batch.next[b] = (uint8_t)(b * 37 % CHARACTERS);
        batch.on_start[b] = on;
        for (uint32_t i = 0; i < b % 4; i++) batch.on[on++] = i == 0 ? b * 7 % 20 : 100 + (b * 11 + i) % 30;
    }
    batch.on_start[SIZE] = on;
    batch_group(&batch, mark);

    double *embedding = allocate(ROWS * dim, sizeof(double), "test"), *linear = allocate(CHARACTERS * dim, sizeof(double), "test"), bias[CHARACTERS];
    for (size_t i = 0; i < ROWS * dim; i++) embedding[i] = (double)model.embedding[i];
    for (size_t c = 0; c < CHARACTERS; c++) {
        for (size_t d = 0; d < dim; d++) linear[c * dim + d] = (double)model.linear[c * padded(dim) + d];
        bias[c] = (double)model.bias[c];
    }
    Team *team = team_start(members);
    Layers layers = layers_allocate(SIZE, dim, (size_t)members);
    Optimizer optimizer = {.rule = SGD, .embedding_rate = 1, .linear_rate = 1};
    struct Step { Model *model; Optimizer *optimizer; Batch *batch; Layers *layers; } step = {&model, &optimizer, &batch, &layers};
    void run_step(Team *team, int member, void *argument);
    team_run(team, run_step, &step);

    double loss = plain_loss(embedding, linear, bias, dim, &batch), worst[3] = {0};
    bool untouched = true;
    struct { double *values; size_t count; int kind; } parts[] = {{embedding, ROWS * dim, 0}, {linear, CHARACTERS * dim, 1}, {bias, CHARACTERS, 2}};
    for (int p = 0; p < 3; p++)
        for (size_t i = 0; i < parts[p].count; i++) {
            double kept = parts[p].values[i], h = 1e-4;
            parts[p].values[i] = kept + h;
            double up = plain_loss(embedding, linear, bias, dim, &batch);
            parts[p].values[i] = kept - h;
            double down = plain_loss(embedding, linear, bias, dim, &batch);
            parts[p].values[i] = kept;
            float now = p == 0 ? model.embedding[i] : p == 1 ? model.linear[i / dim * padded(dim) + i % dim] : model.bias[i];
            worst[p] = fmax(worst[p], fabs((kept - (double)now) - (up - down) / (2 * h)));
            bool is_on = p != 0;
            for (uint32_t k = 0; k < on && !is_on; k++) is_on = batch.on[k] == i / dim;
            untouched &= is_on || (double)now == kept;
        }
    check(close_to(layers.mean_loss, loss, 1e-5), "dim %zu, %d threads: the loss is the definition's to %.1e", dim, members, fabs(layers.mean_loss - loss));
    check(worst[0] < 1e-6 && worst[1] < 1e-6 && worst[2] < 1e-6, "dim %zu, %d threads: gradients agree with central differences (embedding %.1e, weight %.1e, bias %.1e)",
          dim, members, worst[0], worst[1], worst[2]);
    check(untouched, "dim %zu, %d threads: rows that are off do not move by one bit", dim, members);
    team_end(team);
    layers_free(&layers);
    batch_free(&batch);
    model_free(&model);
    free(embedding);
    free(linear);
}

void run_step(Team *team, int member, void *argument);
void run_step(Team *team, int member, void *argument) {
    struct Step { Model *model; Optimizer *optimizer; Batch *batch; Layers *layers; } *step = argument;
    model_step(step->model, step->optimizer, step->batch, step->layers, team, member);
}

static void test_adagrad(void) {
    float weight[2] = {1, -2}, sum[2] = {0.25f, 0}, gradient[2] = {0.5f, -3};
    update(ADAGRAD, 0.1f, 2, gradient, sum, weight);
    check(close_to((double)weight[0], 1 - 0.1 * 0.5 / sqrt(0.5), 1e-7) && close_to((double)weight[1], -2 + 0.1, 1e-7) && sum[1] == 9,
          "Adagrad adds the squared gradient first and divides by its root");
}

/* ---- an order-1 model learns what can be learned ---------------------------------------------- */

static void test_floor(const char *path) {
    Text text = text_read(path, true);
    size_t split = (size_t)((double)text.length * 0.9);
    Team *team = team_start(2);
    RowOptions rows = {.order = 1, .min_count = 1, .max_rows = UINT32_MAX};
    Contexts contexts = contexts_list(team, text.ids, split, rows);
    RunOptions options = {.dim = 64, .batch = 256, .epochs = 12, .rule = ADAGRAD, .embedding_rate = 0.1, .linear_rate = 0.02, .deviation = 1, .seed = 1, .norm_type = 2};
    Trainer *trainer = trainer_start(team, &contexts, text.ids, split, options, NULL);
    while (trainer_run(trainer, RUN_STEPS)) {}
    Found found = contexts_find(team, &contexts, text.ids, 1, split - 1);
    double loss = stretch_loss(team, &trainer->model, &contexts, &found), floor = yardsticks(text.ids, split).conditional;
    check(loss < floor + 0.01 && loss > floor - 1e-6, "order 1, dim 64: %.4f nats/char on its training part, whose conditional entropy is %.4f", loss, floor);
    found_free(&found);
    trainer_end(trainer);
    contexts_free(&contexts);
    team_end(team);
    free(text.ids);
}

/* ---- both ways of learning ---------------------------------------------------------------------- */

/* Bits of the embedding after some batches; the way that is said to be faster takes the first lap. */
static uint64_t learned(Team *team, Contexts *contexts, const Text *text, size_t batch, bool alone) {
    RunOptions options = {.dim = 13, .batch = batch, .epochs = 2, .rule = ADAGRAD, .embedding_rate = 0.1, .linear_rate = 0.02, .accumulator = 1e-5, .deviation = 0.1, .seed = 1, .norm_type = 2};
    Trainer *trainer = trainer_start(team, contexts, text->ids, 40000, options, NULL);
    trainer->lap_time[0] = trainer->lap_time[1] = 1;
    trainer->lap_time[alone] = 1e-9;
    size_t few = 20000 / batch, steps = trainer_run(trainer, few);
    check(steps == few && trainer->laps == 1 && trainer->lap_time[!alone] == 1, "a batch of %zu, %d threads: one lap, in which %s", batch, team_size(team), alone ? "one learns alone" : "all learn together");
    uint64_t bits = text_fingerprint((uint8_t *)trainer->model.embedding, contexts->rows * options.dim * sizeof(float));
    trainer_end(trainer);
    return bits;
}

/* Logits far below zero: what pads the characters to whole vectors has no part in the softmax, whatever the width. */
static void test_low_logits(void) {
    Model model = model_allocate(CHARACTERS, 1);
    float logits[LOGITS];
    double log_sum;
    for (int c = 0; c < LOGITS; c++) logits[c] = c < CHARACTERS ? -3e30f : model.bias[c];
    softmax(logits, 1, &log_sum);
    check(close_to((double)logits[0], 0.01, 1e-6) && close_to((double)logits[99], 0.01, 1e-6) && close_to(log_sum / -3e30, 1, 1e-6), "logits of -3e30: p is 1/100 for each of the 100");
    model_free(&model);
}

static void test_ways(const char *path) {
    Text text = text_read(path, true);
    static const size_t batches[] = {5, 32, 300, 700};
    Team *one = team_start(1);
    Contexts contexts = contexts_list(one, text.ids, 40000, (RowOptions){.order = 4, .min_count = 1, .max_rows = UINT32_MAX, .phrases = true, .columns = true});
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++) {
        uint64_t bits = learned(one, &contexts, &text, batches[b], false);
        for (int members = 2; members <= 3; members++) {
            Team *team = team_start(members);
            uint64_t together = learned(team, &contexts, &text, batches[b], false), alone = learned(team, &contexts, &text, batches[b], true);
            check(together == bits && alone == bits, "batches of %zu, %d threads: learning together and learning alone give the bits of one thread", batches[b], members);
            team_end(team);
        }
    }
    contexts_free(&contexts);
    team_end(one);
    free(text.ids);
}

int main(void) {
    test_characters();
    test_exact();
    test_known_generator();
    test_multiply();
    test_low_logits();
    test_gradients(10, 1);
    test_gradients(10, 3);
    test_gradients(32, 2);
    test_gradients(1, 1);
    test_adagrad();
    test_ways("data/text.txt");
    test_floor("data/text.txt");
    return 0;
}
