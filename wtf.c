/* wtf.c: "WTF does nn.Embedding do?", answered by running it.

   Nine sections, in the order of the notebook of that name. Each says one thing, computes it with
   the functions of model.h that also train the real models, and ends in checks that can fail. The
   exit status is 0 only when all hold. */
#include "lib/attention.h"
#include "lib/characters.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/memory.h"
#include "lib/options.h"
#include "lib/ranking.h"
#include "lib/text.h"
#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char notebook[] = "WTF does nn.Embedding do?";
enum { DIM = 10, TABLE = CHARACTERS * DIM, NUMBERS = 2 * TABLE + CHARACTERS, PAD = 99, SHOWN = 7 };
static const Optimizer sgd = {.sgd = true, .embedding_lr = 0.1f, .linear_lr = 0.1f};

typedef enum { WORDS, ROWS, CHECKS } Block;

typedef struct {
    uint8_t *ids; /* [length + 1] the string; its first character stands again at the end */
    size_t length;
    Batch batch; /* of the string */
    uint32_t seed;
    bool known; /* the notebook's string and seed 1: PyTorch's losses are known */
    bool colour;
    size_t failures;
    Block block;                  /* what was printed last */
    char names[CHARACTERS][12];   /* 'a', '\n', space */
    Training t[3];                /* nn.Embedding(100, 10) -> nn.Linear(10, 100) */
    float numbers[3][3][NUMBERS]; /* their models, Adagrad's sums, gradients */
} Story;

/* ---- what is printed */

/* An empty line before each paragraph, and between rows and checks. */
static void begin(Story *s, Block block) {
    if (block == WORDS || block != s->block) printf("\n");
    s->block = block;
}

/* Paragraphs (printf style) with \n between them, in lines of at most 80 columns. One that begins
   with a space is a row, printed as it is. */
static void __attribute__((format(printf, 2, 3))) say(Story *s, const char *format, ...) {
    Buffer text = {0}, line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vadd(&text, format, arguments);
    va_end(arguments);
    for (char *part = strtok(text.text, "\n"); part; part = strtok(NULL, "\n")) {
        bool row = *part == ' ';
        begin(s, row ? ROWS : WORDS);
        buffer_add(&line, "%s%s", row ? "  " : "   ", part);
        print_wrapped(stdout, line.text, 80, 3);
        buffer_free(&line);
    }
    buffer_free(&text);
}

/* A row of numbers and its name: as many as fit 80 columns. */
static void print_row(Story *s, const char *name, const float *row, size_t n) {
    begin(s, ROWS);
    printf("   %-17s", name);
    for (size_t i = 0; i < n && i < SHOWN; i++) printf(" %7.4f", row[i]);
    printf("%s\n", n > SHOWN ? " ..." : "");
}

/* A check in words (printf style), with its numbers. */
static void __attribute__((format(printf, 3, 4)))
check(Story *s, bool holds, const char *format, ...) {
    static const char *const words[2][2] = {{"FAILS", "\033[1;31mFAILS\033[0m"},
                                            {"holds", "\033[32mholds\033[0m"}};
    va_list arguments;
    va_start(arguments, format);
    begin(s, CHECKS);
    printf("   %s  ", words[holds][s->colour]);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    s->failures += !holds;
}

/* The largest difference of two numbers. */
static double apart(const float *a, const float *b, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++) largest = fmax(largest, fabs((double)a[i] - b[i]));
    return largest;
}

static bool same(const float *a, const float *b, size_t n) { return !memcmp(a, b, n * sizeof *a); }

/* ---- models and batches */

static Model model_of(float *numbers) {
    return (Model){CHARACTERS, DIM, numbers, numbers + TABLE, numbers + 2 * TABLE};
}

/* Starts training number i again. */
static Training *fresh(Story *s, int i) {
    float(*numbers)[NUMBERS] = s->numbers[i];
    memset(numbers, 0, sizeof s->numbers[i]);
    s->t[i] = (Training){model_of(numbers[0]), model_of(numbers[1]), model_of(numbers[2])};
    Random random = random_seeded(s->seed);
    model_start(&s->t[i].model, &random, 1);
    return &s->t[i];
}

static float *row_of(const Model *model, size_t r) { return model->embedding + r * model->dim; }

/* The batch of the first n positions of a text: text[i + 1] follows text[i]. Each character that
   occurs is a bag; its targets are what follows it. Free its offsets: all of it stands there. */
static Batch followers(const uint8_t *text, size_t n) {
    enum { ROOM = CHARACTERS + 1 };
    uint32_t *room = allocate(4 * ROOM + n / 4 + 1, sizeof *room, "a batch"), used = 0;
    uint32_t *rows = room + ROOM, *frequency = room + 3 * ROOM;
    uint8_t *targets = (uint8_t *)(room + 4 * ROOM);
    Batch f = {0, n, 0, room, rows, room + 2 * ROOM, targets, rows, frequency};
    for (uint32_t c = 0; c < CHARACTERS; c++) {
        for (size_t i = 0; i < n; i++)
            if (text[i] == c) targets[used++] = text[i + 1];
        if (used == f.target_offsets[f.bags]) continue;
        rows[f.bags] = c;
        frequency[f.bags] = used - f.target_offsets[f.bags];
        f.offsets[++f.bags] = ++f.distinct;
        f.target_offsets[f.bags] = used;
    }
    return f;
}

/* The model after so many steps on one batch. */
static const Model *train(Training *t, const Optimizer *optimizer, const Batch *batch, int steps) {
    for (int step = 0; step < steps; step++) train_step(t, optimizer, batch);
    return &t->model;
}

typedef double Loss(Training *t, void *data);

/* The mean loss on a Batch: a step with learning rate 0 changes nothing. */
static double mean_loss(Training *t, void *batch) {
    Optimizer still = {.sgd = true};
    return train_step(t, &still, batch);
}

/* The derivative of a loss by one number, found by trying: it goes up and down by 0.01. */
static float nudged(Loss *loss, Training *t, void *data, float *number) {
    float kept = *number;
    *number = kept + 0.01f;
    double up = loss(t, data);
    *number = kept - 0.01f;
    double down = loss(t, data);
    *number = kept;
    return (up - down) / 0.02;
}

static void characters_to_ids(Story *s) {
    enum { MOST = 25, LINE = 13 };
    size_t shown = s->length < MOST ? s->length : MOST;
    int known = 0, back = 0;
    say(s, "A model calculates with numbers, not letters. A character's id is its place in "
           "Python's string.printable, counted from 0:\n"
           "     0  0123456789\n"
           "    10  abcdefghijklmnopqrstuvwxyz\n"
           "    36  ABCDEFGHIJKLMNOPQRSTUVWXYZ\n"
           "    62  !\"#$%%&'()*+,-./:;<=>?@[\\]^_`{|}~\n"
           "    94  space \\t \\n \\r \\x0b \\x0c\n"
           "The string becomes");
    for (size_t from = 0, end; from < shown; from = end) {
        char name[8];
        end = from + LINE < shown ? from + LINE : shown;
        printf("\n  ");
        for (size_t i = from; i < end; i++)
            printf(" %5s", character_name(character_of(s->ids[i]), name));
        printf("\n  ");
        for (size_t i = from; i < end; i++) printf(" %5d", s->ids[i]);
        printf("%s\n", end < s->length && end == MOST ? " ..." : "");
    }
    say(s,
        "Input Tensor Shape: [1, %zu]\n"
        "An id is an integer (torch.long) and only a name: 14 is not more than 13. There is no "
        "row 100: PyTorch stops with \"IndexError: index out of range in self\". Here a byte "
        "that is none of the 100 characters never gets an id.",
        s->length);
    for (int byte = 0; byte < 256; byte++) {
        int id = id_of(byte);
        known += id >= 0;
        back += id >= 0 && id < CHARACTERS && character_of(id) == (char)byte;
    }
    check(s, known == 100 && back == 100, "100 of 256 bytes have an id from 0 to 99, and back");
    check(s, id_of('0') == 0 && id_of('a') == 10 && id_of('!') == 62 && id_of('\f') == 99,
          "they stand in the order of string.printable");
}

static void the_table(Story *s) {
    /* row 10 after torch.manual_seed(1); torch.nn.Embedding(100, 10): PyTorch 1.13 on a CPU */
    static const float pytorch[DIM] = {1.38514566f,  -0.813846231f, -0.927576542f, 1.11196327f,
                                       1.33520567f,  0.604273617f,  -0.10344208f,  -0.151216924f,
                                       -2.10208297f, -0.620021939f};
    const Model *model = &fresh(s, 0)->model;
    const float *a = row_of(model, id_of('a'));
    double sum = 0, squares = 0;
    bool rows = true;
    for (int i = 0; i < TABLE; i++) {
        double number = model->embedding[i];
        sum += number;
        squares += number * number;
    }
    for (size_t i = 0; i < s->length; i++) {
        float h[DIM];
        embedding_forward(model, (uint32_t[]){s->ids[i]}, 1, h);
        rows &= same(h, row_of(model, s->ids[i]), DIM);
    }
    double mean = sum / TABLE, deviation = sqrt((squares - sum * mean) / (TABLE - 1));
    say(s,
        "num_embeddings = 100 rows of embedding_dim = 10 numbers. The table knows nothing yet: its "
        "numbers are drawn from N(0, 1), the normal distribution with mean 0 and standard "
        "deviation 1 (here: %.4f and %.4f).\n"
        "Embedding a string means looking up its ids. Integers (torch.long) go in, rows of floats "
        "(torch.float) come out. Nothing is calculated.\n"
        "Output Tensor Shape: [1, %zu, 10]. Embedding for 'a' (the notebook has other numbers, for "
        "it sets no seed):",
        mean, deviation, s->length);
    printf("\n   tensor([[[%7.4f", a[0]);
    for (int d = 1; d < DIM; d++) printf(",%s%7.4f", d == 7 ? "\n             " : " ", a[d]);
    printf("]]], grad_fn=<EmbeddingBackward0>)\n");
    say(s, "grad_fn names the function that hands gradients back to the table (section 4). In "
           "model.h that is embedding_backward.");
    check(s, fabs(mean) < 5 / sqrt(TABLE) && fabs(deviation - 1) < 5 / sqrt(2 * TABLE),
          "mean 0 and deviation 1, as nearly as 1,000 random numbers have them");
    check(s, rows, "what comes out for each character is its row, bit for bit");
    if (s->seed == 1)
        check(s, apart(a, pytorch, DIM) < 1e-6,
              "after torch.manual_seed(1), PyTorch has this row of 'a', too");
}

static void lookup_is_multiplication(Story *s) {
    enum { SQUARE = CHARACTERS * CHARACTERS };
    float weight[SQUARE + CHARACTERS] = {0}, dweight[SQUARE + CHARACTERS] = {0};
    Model linear = {0, CHARACTERS, NULL, weight, weight + SQUARE};
    Model gradient = {0, CHARACTERS, NULL, dweight, dweight + SQUARE};
    Training *t = fresh(s, 0);
    bool rows = true, gradients = true;
    char number[32];
    for (int i = 0; i < TABLE; i++) weight[i % DIM * CHARACTERS + i / DIM] = t->model.embedding[i];
    for (size_t i = 0; i < s->length; i++) {
        uint32_t id = s->ids[i];
        float x[CHARACTERS] = {0}, dx[CHARACTERS], out[CHARACTERS], row[DIM];
        float dout[CHARACTERS] = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10}; /* any gradient will do */
        x[id] = 1;
        linear_forward(&linear, x, out);
        embedding_forward(&t->model, &id, 1, row);
        rows &= same(out, row, DIM);
        linear_backward(&linear, &gradient, x, dout, dx);
        embedding_backward(&t->gradient, &id, 1, dout);
    }
    for (int i = 0; i < TABLE; i++)
        gradients &= dweight[i % DIM * CHARACTERS + i / DIM] == t->gradient.embedding[i];
    say(s,
        "A one-hot vector is 1 at the id and 0 elsewhere. One-hot times table is the row of the "
        "id: 99 rows are multiplied by 0, one by 1. That is what nn.Linear(100, 10) computes when "
        "its weight is the table, transposed. So a look-up can be differentiated like any other "
        "product. It only does less work: for this string no multiplications instead of %s.",
        grouped(s->length * TABLE, number));
    check(s, rows, "nn.Linear fed with one-hot gives the rows of the look-up, bit for bit");
    check(s, gradients, "and both tables get the same gradients, bit for bit");
}

/* The bag of a character that stands `times` times in the string, or at fewer places; 0: of its
   first character. */
static size_t bag_with(const Story *s, uint32_t times) {
    for (size_t b = 0; b < s->batch.bags; b++)
        if (times ? s->batch.frequency[b] == times : s->batch.rows[b] == s->ids[0]) return b;
    return bag_with(s, times > 2 ? times - 1 : 0);
}

static void gradients(Training *t, const Batch *batch) {
    for (size_t b = 0; b < batch->bags; b++) train_bag(t, batch, b);
}

static void probabilities(const Model *model, size_t c, float *p) {
    linear_forward(model, row_of(model, c), p);
    softmax(p);
}

/* The gradient of the row of a bag: by the formula, place by place; by model.h; by nudging. */
static void row_gradient(Story *s, size_t b) {
    Batch *batch = &s->batch;
    Training *t = fresh(s, 0);
    size_t c = batch->rows[b], n = batch->frequency[b];
    float sum[DIM] = {0}, trial[DIM], p[CHARACTERS], *gradient = row_of(&t->gradient, c);
    probabilities(&t->model, c, p);
    for (size_t i = 0; i < n; i++) {
        int target = batch->targets[batch->target_offsets[b] + i];
        float one[DIM] = {0};
        char name[40];
        for (int k = 0; k < TABLE; k++)
            one[k % DIM] += (p[k / DIM] - (k / DIM == target)) * t->model.linear[k] / s->length;
        for (int d = 0; d < DIM; d++) sum[d] += one[d];
        snprintf(name, sizeof name, "%s -> %s", s->names[c], s->names[target]);
        if (i < 3) print_row(s, name, one, DIM);
    }
    if (n > 3) printf("   and %zu more\n", n - 3);
    if (n > 1) print_row(s, "their sum", sum, DIM);
    for (int d = 0; d < DIM; d++) trial[d] = nudged(mean_loss, t, batch, row_of(&t->model, c) + d);
    gradients(t, batch);
    print_row(s, "model.h", gradient, DIM);
    print_row(s, "nudged", trial, DIM);
    check(s, apart(sum, gradient, DIM) < 1e-6, "model.h gives the row of %s this gradient",
          s->names[c]);
    check(s, apart(sum, trial, DIM) < 2e-5, "and nudging finds it");
}

static void one_position(Story *s) {
    const Model *model = &fresh(s, 0)->model;
    const char *c = s->names[s->ids[0]], *next = s->names[s->ids[1]];
    size_t likeliest = 0, first = bag_with(s, 0), often = bag_with(s, 3);
    float p[CHARACTERS], right;
    probabilities(model, s->ids[0], p);
    right = p[s->ids[1]];
    for (size_t i = 0; i < CHARACTERS; i++)
        if (p[i] > p[likeliest]) likeliest = i;
    say(s,
        "Each character is to predict the next one, and the last one the first. The row of %s is "
        "h. nn.Linear makes a logit of it for each of the 100 characters that may follow: logit[c] "
        "= weight[c] . h + bias[c]. Softmax turns them into probabilities: p[c] = e^logit[c] / "
        "(the sum of all 100 e^logit).",
        c);
    print_row(s, "h", row_of(model, s->ids[0]), DIM);
    say(s,
        "The likeliest is %s, p = %.4f. But %s follows, p = %.4f: the loss is -ln p = %.4f nats. "
        "Blind guessing has ln 100 = %.4f.\n"
        "A gradient says how the loss changes when a number changes. For the logits it is p - "
        "onehot: %.4f at %s, and p elsewhere. For h it is W^T (p - onehot) / %zu: W is the weight "
        "of nn.Linear, and the loss is the mean over %zu positions. The backpropagation of model.h "
        "finds the same. So does trying: nudge a number of the row up and down by 0.01, and see "
        "how the loss changes.",
        s->names[likeliest], p[likeliest], next, right, -log(right), log(100), right - 1, next,
        s->length, s->length);
    row_gradient(s, first);
    if (often == first) return;
    say(s, "The row of %s gets the sum of the gradients of all its places:",
        s->names[s->batch.rows[often]]);
    row_gradient(s, often);
}

/* One step of SGD, all 2,100 numbers of it. */
static void one_step(Story *s) {
    const Batch *batch = &s->batch;
    const float *new = train(fresh(s, 1), &sgd, batch, 1)->embedding,
                *old = fresh(s, 0)->model.embedding;
    const float *gradient = s->t[0].gradient.embedding;
    size_t row = s->ids[0] * DIM, moved = 0;
    char number[64];
    float error = 0;
    gradients(&s->t[0], batch);
    for (int i = 0; i < NUMBERS; i++)
        error = fmaxf(error, fabsf(new[i] - old[i] + 0.1f * gradient[i]));
    for (int i = 0; i < TABLE; i += DIM) moved += !same(old + i, new + i, DIM);
    say(s,
        "One step of SGD moves each number against its gradient, by 0.1 times as much. Now the row "
        "of %s is",
        s->names[s->ids[0]]);
    print_row(s, "after one step", new + row, DIM);
    say(s,
        "Looked up: %s. The other %zu got no gradient and did not move by one bit. nn.Linear, "
        "which all positions share, learns in the same way.",
        counted(batch->bags, "rows", number), CHARACTERS - batch->bags);
    counted(moved, "rows", number);
    check(s, moved == batch->bags, "%s moved: those that were looked up", number);
    check(s, error < 1e-6f, "all 2,100 numbers moved by -0.1 times their gradient");
    check(s, same(s->t[1].gradient.embedding, s->t[1].sum.embedding, NUMBERS),
          "and then all gradients are 0 again");
}

/* How often up to three characters follow that of a bag. */
static void print_followers(Story *s, const Model *model, size_t b) {
    const Batch *batch = &s->batch;
    size_t c = batch->rows[b], n = batch->frequency[b], shown = 0;
    float p[CHARACTERS];
    probabilities(model, c, p);
    for (int i = 0; i < CHARACTERS && shown < 3; i++) {
        double count = 0;
        for (size_t k = 0; k < n; k++) count += batch->targets[batch->target_offsets[b] + k] == i;
        if (count == 0) continue;
        say(s, " %s after %s: counted %.4f, learned p = %.4f", s->names[i], s->names[c], count / n,
            p[i]);
        shown++;
    }
}

static void it_learns(Story *s) {
    /* the losses by PyTorch, as tests/slow/wtf.py prints them */
    static const float pytorch[2][SHOWN] = {
        {4.85296f, 4.77951f, 4.17100f, 3.64609f, 2.53817f, 1.52507f, 0.50180f},
        {4.85296f, 4.78103f, 4.18496f, 3.67359f, 2.61121f, 1.67360f, 0.57007f}};
    static const int steps[SHOWN] = {0, 1, 9, 10, 30, 50, 900};
    Batch *batch = &s->batch;
    float loss[2][SHOWN], end[2];
    double least = baselines_of(s->ids, s->length + 1).bigram;
    one_step(s);
    say(s, "A thousand such steps, and again with frozen rows: only nn.Linear learns.\n"
           " steps                   0       1      10      20      50     100    1000");
    for (int i = 0; i < 2; i++) {
        Training *t = fresh(s, i);
        Optimizer optimizer = sgd;
        optimizer.freeze_embedding = i;
        for (int k = 0; k < SHOWN; k++) {
            train(t, &optimizer, batch, steps[k]);
            end[i] = loss[i][k] = mean_loss(t, batch);
        }
        print_row(s, i ? "loss, rows frozen" : "loss", loss[i], SHOWN);
    }
    say(s,
        "Where does it end? Not below %.4f: that is the loss of the table of pairs, which says "
        "how often each character follows each other one (an entropy). The table could be "
        "counted. Embedding and Linear learn it:",
        least);
    print_followers(s, &s->t[0].model, bag_with(s, 3));
    say(s, "For Embedding -> Linear is one 100 x 100 table of logits, kept as 100 x 10 times 10 x "
           "100. All rows go through the same 10 x 100, so characters with similar followers need "
           "similar rows (section 8).");
    check(s, end[0] < loss[0][0] && end[0] >= least,
          "1,000 steps lower the loss from %.4f to %.4f, not below %.4f", loss[0][0], end[0],
          least);
    check(s, same(s->t[1].model.embedding, fresh(s, 2)->model.embedding, TABLE),
          "frozen rows stay, bit for bit");
    check(s, end[0] < end[1], "and the loss falls less with them");
    if (s->known)
        check(s, apart(*loss, *pytorch, 2 * SHOWN) < 1e-4, "PyTorch has these 14 losses, too");
}

/* Ten steps in which "cat", with id 99 or without it, is to predict 's'. The first `learning` of
   the n rows of its bag learn. */
static const Model *train_cat(Story *s, int i, uint32_t n, size_t learning) {
    uint32_t rows[] = {id_of('c'), id_of('a'), id_of('t'), PAD}, offsets[] = {0, n};
    uint32_t target_offsets[] = {0, 1}, frequency[] = {1, 1, 1, 1};
    uint8_t next = id_of('s');
    Batch batch = {1, 1, learning, offsets, rows, target_offsets, &next, rows, frequency};
    Training *t = fresh(s, i);
    memset(row_of(&t->model, PAD), 0, DIM * sizeof(float));
    return train(t, &sgd, &batch, 10);
}

static void padding(Story *s) {
    const Model *cat = train_cat(s, 0, 3, 3), *padded = train_cat(s, 1, 4, 3);
    const float *learned = row_of(train_cat(s, 2, 4, 4), PAD), *kept = row_of(padded, PAD);
    say(s, "padding_idx=99: all strings of a tensor need one length, so short ones are filled up "
           "with id 99. Its row starts at zero and gets no gradient, so it adds nothing. (./train "
           "fills up bags with NO_ROW, which is the same.) Row 99 after 10 steps in which \"cat\" "
           "and id 99 predict 's':");
    print_row(s, "padding_idx=99", kept, DIM);
    print_row(s, "padding_idx=None", learned, DIM);
    check(s, same(cat->embedding, padded->embedding, NUMBERS),
          "with padding_idx \"cat\" learns the same, padded or not, bit for bit");
    check(s, !same(kept, learned, DIM), "without it row 99 learns");
}

static void max_norm(Story *s) {
    static const double types[] = {2, 1, INFINITY};
    static const char *const names[] = {"norm_type=2", "norm_type=1", "norm_type=inf"};
    const Model *old = &fresh(s, 0)->model;
    double error = 0;
    say(s,
        "max_norm=1: a row longer than 1 is shortened to 1 when it is looked up. norm_type says "
        "what length is: the root of the sum of the squares (2), the sum of the absolute values "
        "(1), the largest of them (inf). For %s:",
        s->names[s->ids[0]]);
    print_row(s, "max_norm=None", row_of(old, s->ids[0]), DIM);
    for (int i = 0; i < 3; i++) {
        Optimizer shorten = {.sgd = true, .max_norm = 1, .norm_type = types[i]};
        const Model *model = train(fresh(s, 1), &shorten, &s->batch, 1);
        for (int r = 0; r < CHARACTERS; r++) {
            double expected = exact_norm(row_of(old, r), DIM, types[i]);
            if (memchr(s->ids, r, s->length)) expected = fmin(1, expected);
            error = fmax(error, fabs(exact_norm(row_of(model, r), DIM, types[i]) - expected));
        }
        print_row(s, names[i], row_of(model, s->ids[0]), DIM);
    }
    check(s, error < 1e-5, "rows that are looked up are at most 1 long, others stay as they are");
}

static void every_argument(Story *s) {
    const Batch *batch = &s->batch;
    say(s, " nn.Embedding(num_embeddings, embedding_dim, padding_idx=None, max_norm=None,\n"
           "              norm_type=2.0, scale_grad_by_freq=False, sparse=False)");
    padding(s);
    max_norm(s);
    Optimizer scale = sgd;
    scale.scale_grad_by_freq = true;
    const Model *free = train(fresh(s, 0), &sgd, batch, 1),
                *scaled = train(fresh(s, 1), &scale, batch, 1);
    const Model *start = &fresh(s, 2)->model;
    float error = 0;
    for (size_t b = 0; b < batch->bags; b++) {
        float from = *row_of(start, batch->rows[b]), n = batch->frequency[b];
        float step = *row_of(free, batch->rows[b]) - from;
        error = fmaxf(error, fabsf(step / n - (*row_of(scaled, batch->rows[b]) - from)));
    }
    say(s,
        "scale_grad_by_freq: a row's gradient is divided by how often its id occurs in the "
        "batch. sparse: only the rows that were looked up have a gradient, here %zu of 100; "
        "model.h always does so. (device and dtype say where the numbers are kept, and in which "
        "format.)\n"
        "nn.Embedding.from_pretrained(rows) starts with given rows and freezes them, as in "
        "section 5: freeze=True is its default. train --pretrained does not.",
        batch->bags);
    check(s, error < 1e-6f, "scale_grad_by_freq divides each row's step by its frequency");
}

/* The notebook's nn.Linear(4, 3, bias=False).weight [3, 4], and the same numbers as a table. */
static void the_notebooks_linear(Story *s) {
    static const float printed[3] = {-0.2608f, 0.7631f, -0.7580f};
    float weight[CHARACTERS * 4 + CHARACTERS] = {-0.0976f, -0.2872f, -0.1632f, 0.0354f,
                                                 0.2979f,  0.3021f,  0.4652f,  0.1204f,
                                                 -0.3786f, 0.2526f,  -0.3794f, -0.0699f};
    float rows[5 * 3], x[4] = {1, 0, 1, 0}, out[CHARACTERS], changed[CHARACTERS], sum[3];
    Model linear = {0, 4, NULL, weight, weight + CHARACTERS * 4}, table = {5, 3, rows, NULL, NULL};
    for (int i = 0; i < 12; i++) rows[i] = weight[i % 3 * 4 + i / 3];
    linear_forward(&linear, x, out);
    embedding_forward(&table, (uint32_t[]){0, 2}, 2, sum);
    say(s, "The notebook's nn.Linear(4, 3) gets x = [1, 0, 1, 0]. Its weight, transposed, is a "
           "table of 4 rows of 3, and x says: rows 0 and 2 are looked up and added.");
    print_row(s, "row 0", rows, 3);
    print_row(s, "row 2", rows + 6, 3);
    print_row(s, "their sum", sum, 3);
    print_row(s, "Linear", out, 3);
    print_row(s, "the notebook", printed, 3);
    say(s, "The notebook's last tensor has no grad_fn, for from_pretrained froze the table. It has "
           "bias=False. A bias adds three more numbers to each output, like a row that is always "
           "looked up.\n"
           "Does nn.Linear \"focus on individual features\"? No: each output is a sum over all "
           "inputs. It is nn.Embedding that takes each id by itself.");
    check(s, same(out, sum, 3) && apart(out, printed, 3) < 5e-5,
          "Linear and the sum of two rows are the notebook's numbers");
    for (int o = 0; o < 3; o++) linear.bias[o] = rows[12 + o] = o + 1;
    linear_forward(&linear, x, out);
    embedding_forward(&table, (uint32_t[]){4, 0, 2}, 3, sum);
    x[2] = 0;
    linear_forward(&linear, x, changed);
    check(s, same(out, sum, 3), "a bias does what a row does that is always looked up");
    check(s, out[0] != changed[0] && out[1] != changed[1] && out[2] != changed[2],
          "change one input of nn.Linear, and every output changes");
}

static void embedding_and_linear(Story *s) {
    the_notebooks_linear(s);
    const Model *model = &fresh(s, 0)->model;
    float mean[2][DIM] = {{0}}, low = 0, high = 0, bound = 1 / sqrtf(DIM);
    for (size_t i = 0; i < s->length; i++)
        for (int d = 0; d < DIM; d++) {
            mean[0][d] += row_of(model, s->ids[i])[d] / s->length;
            mean[1][d] += row_of(model, s->ids[s->length - 1 - i])[d] / s->length;
        }
    for (size_t i = 0; i < linear_size(DIM); i++) {
        low = fminf(low, model->linear[i]);
        high = fmaxf(high, model->linear[i]);
    }
    say(s, "Does nn.Embedding \"consider the context and order of the sequence\"? No: a character "
           "gets its row wherever it stands. The string and its reverse have the same rows, and so "
           "the same sum and the same mean:");
    print_row(s, "mean", mean[0], DIM);
    print_row(s, "mean, reversed", mean[1], DIM);
    say(s,
        "Can nn.Linear replace nn.Embedding? \"Not quite\", says the notebook. But it can: fed "
        "with one-hot vectors, it has the same rows and gradients (section 3). One real difference "
        "is left, the start. nn.Embedding starts from N(0, 1), nn.Linear with n inputs from "
        "U(-1/sqrt n, 1/sqrt n): any number between these two, each equally likely. Our "
        "nn.Linear(10, 100) starts with %.4f to %.4f.",
        low, high);
    check(s, apart(mean[0], mean[1], DIM) < 1e-5,
          "the order of the characters does not change the mean of their rows");
    check(s, low >= -bound && high <= bound && fminf(-low, high) > 0.95f * bound,
          "nn.Linear(10, 100) starts within 1/sqrt 10 = %.4f of 0", bound);
}

/* The four rows nearest to that of c by cosine, among those of frequent characters. */
static void print_nearest(const Story *s, const Model *model, uint32_t c, const size_t *counts,
                          size_t length) {
    Scored near[CHARACTERS];
    size_t found = 0;
    for (uint32_t r = 0; r < CHARACTERS; r++)
        if (counts[r] > length / 500 && r != c)
            near[found++] = (Scored){cosine(row_of(model, c), row_of(model, r), DIM), r};
    sort_scored(near, found);
    for (int k = 0; k < 4; k++) printf(" %6s", s->names[near[k].row]);
}

/* The mean cosine of two vowels. */
static double vowels_alike(const Model *model) {
    double sum = 0;
    for (const char *a = "aeiou"; *a; a++)
        for (const char *b = "aeiou"; *b; b++)
            sum += cosine(row_of(model, id_of(*a)), row_of(model, id_of(*b)), DIM);
    return (sum - 5) / 20;
}

/* Two epochs of ./train --order 1 --dim 10; but a batch is 256 characters from anywhere. */
static void train_on_text(Training *t, const uint8_t *text, size_t length, bool freeze) {
    enum { BATCH = 256 };
    Random random = random_seeded(1);
    size_t steps = 2 * length / BATCH;
    for (size_t step = 0; step < steps; step++) {
        float left = 1 - 0.9f * step / steps;
        Optimizer adagrad = {false, 0.1f * left, 0.03f * left, freeze};
        Batch batch = followers(text + random_bits(&random) % (length - BATCH), BATCH);
        train_step(t, &adagrad, &batch);
        free(batch.offsets);
    }
}

static void a_whole_text(Story *s) {
    static const char path[] = "data/text.txt", shown[] = "at., ";
    if (access(path, R_OK)) {
        say(s, "%s is not here: run wtf in the project's folder to see this section.", path);
        return;
    }
    Text text = text_read(path, false);
    size_t learned = text.length - text.length / 10;
    Training *start = fresh(s, 0), *learns = fresh(s, 1), *frozen = fresh(s, 2);
    char number[32];
    train_on_text(learns, text.ids, learned, false);
    train_on_text(frozen, text.ids, learned, true);
    size_t counts[CHARACTERS] = {0};
    for (size_t i = 0; i < learned; i++) counts[text.ids[i]]++;
    Batch val = followers(text.ids + learned, text.length - learned - 1);
    double loss = mean_loss(learns, &val), frozen_loss = mean_loss(frozen, &val);
    double before = vowels_alike(&start->model), after = vowels_alike(&learns->model);
    float w[2] = {0}, square_sum = 0, gradient = 3;
    Optimizer adagrad = {0};
    update(&adagrad, 0.1f, 1, &gradient, &square_sum, &w[0]);
    update(&adagrad, 0.1f, 1, &gradient, &square_sum, &w[1]);
    say(s,
        "The same model learns from %s, %s characters, in two epochs (passes). The last tenth is "
        "kept for validation: nothing is learned from it, it measures what has been learned. The "
        "optimizer is Adagrad: it divides each gradient by the root of the sum of the squares of "
        "all gradients so far, this one included. With learning rate 0.1, two equal gradients move "
        "a number by %.4f and %.4f.\n"
        " loss, rows frozen     %.2f nats a character\n"
        " loss, rows learn      %.2f\n"
        " the table of pairs    %.2f (its loss on the part that it was counted in)\n"
        "The rows nearest to those of five characters, before training and after it:",
        path, grouped(text.length, number), -w[0], -w[1], frozen_loss, loss,
        baselines_of(text.ids, learned + 1).bigram);
    for (const char *c = shown; *c; c++) {
        begin(s, ROWS);
        printf("   %-11s", s->names[id_of(*c)]);
        print_nearest(s, &start->model, id_of(*c), counts, learned);
        printf("   ");
        print_nearest(s, &learns->model, id_of(*c), counts, learned);
        printf("\n");
    }
    say(s, "Nobody said what a vowel is. But similar characters follow vowels, so the rows of "
           "vowels have come together. That is what an embedding is good for.");
    check(s, fabs(w[0] + 0.1) + fabs(w[1] + 0.1 / sqrt(2)) < 1e-6,
          "the second of two equal gradients counts 1 / sqrt 2");
    check(s, loss < 2.6 && frozen_loss > loss + 0.3, "rows that learn lower the loss further");
    check(s, after > 0.3 && after > before + 0.2,
          "the mean cosine of two vowels was %.2f and is %.2f", before, after);
    free(val.offsets);
    free(text.ids);
}

enum { PAIRS = 14, LEARNED = 12 };
static const struct {
    const char *one, *other;
    float label; /* 1: they mean the same, 0: they do not */
} pairs[PAIRS] = {
    {"man bites dog", "dog is bitten by man", 1},
    {"dog bites man", "man is bitten by dog", 1},
    {"cat bites dog", "dog is bitten by cat", 1},
    {"dog bites cat", "cat is bitten by dog", 1},
    {"bank by the river", "shore by the water", 1},
    {"bank in the city", "office with the money", 1},
    {"man bites dog", "dog bites man", 0},
    {"cat bites dog", "dog bites cat", 0},
    {"man bites dog", "man is bitten by dog", 0},
    {"cat bites dog", "cat is bitten by dog", 0},
    {"bank by the river", "bank in the city", 0},
    {"shore by the water", "office with the money", 0},
    {"bank by the water", "shore by the river", 1},
    {"bank in the city", "shore by the river", 0},
};

/* A sentence's words are the rows of these; its places are the last MAX_TOKENS rows. */
static const char *const words[] = {"man", "bites", "dog",    "is",    "bitten", "by",
                                    "cat", "bank",  "the",    "river", "shore",  "water",
                                    "in",  "city",  "office", "with",  "money"};

static Sentence read_sentence(const Model *model, const char *text) {
    Sentence sentence = {0};
    for (; *text; sentence.n++) {
        size_t length = strcspn(text, " ");
        uint32_t row = 0, *bag = sentence.bags[sentence.n];
        while (strlen(words[row]) != length || memcmp(words[row], text, length)) row++;
        bag[0] = row;
        bag[1] = CHARACTERS - MAX_TOKENS + sentence.n;
        text += length;
        text += *text == ' ';
    }
    attention_forward(model, &sentence);
    return sentence;
}

/* The cosines [PAIRS]; adds the gradients of those that are learned from; returns their loss. */
static double pairs_loss(Training *t, void *cosines) {
    double loss = 0;
    for (int i = 0; i < PAIRS; i++) {
        Sentence one = read_sentence(&t->model, pairs[i].one);
        Sentence other = read_sentence(&t->model, pairs[i].other);
        float done[HEAD], dother[HEAD], c = cosine(one.mean, other.mean, HEAD);
        float error = c - pairs[i].label;
        ((float *)cosines)[i] = c;
        if (i >= LEARNED) continue;
        loss += error * error / LEARNED;
        cosine_backward(one.mean, other.mean, 2 * error / LEARNED, done, dother);
        attention_backward(&t->model, &t->gradient, &one, done);
        attention_backward(&t->model, &t->gradient, &other, dother);
    }
    return loss;
}

static Sentence print_shares(Story *s, const char *text) {
    Sentence sentence = read_sentence(&s->t[0].model, text);
    begin(s, ROWS);
    printf("   %-18s", text);
    for (size_t j = 0; j < sentence.n; j++)
        printf(" %6s %.2f", words[sentence.bags[j][0]], sentence.a[0][j]);
    printf("\n");
    return sentence;
}

/* The shares of the first token, and the mean, by the formulas. */
static void check_sentence(Story *s, const Sentence *sentence) {
    float mean[HEAD] = {0}, share[MAX_TOKENS], sum = 0, error = 0;
    for (size_t j = 0; j < sentence->n; j++) {
        sum += share[j] = expf(dot(sentence->qkv[0], sentence->qkv[j] + HEAD) / sqrtf(HEAD));
        for (int d = 0; d < HEAD; d++) mean[d] += sentence->y[j][d] / sentence->n;
    }
    for (size_t j = 0; j < sentence->n; j++)
        error = fmaxf(error, fabsf(share[j] / sum - sentence->a[0][j]));
    check(s, error < 1e-6, "these shares are the softmax of query . key / sqrt 10");
    check(s, apart(mean, sentence->mean, HEAD) < 1e-6, "the sentence is the mean of its y");
}

static void sentence_bert(Story *s) {
    enum { BANK = 7 };
    Training *t = fresh(s, 1);
    Optimizer adagrad = {0};
    float before[PAIRS], after[PAIRS], error = 0;
    pairs_loss(t, before);
    float gradient = *row_of(&t->gradient, BANK);
    float trial = nudged(pairs_loss, t, before, row_of(&t->model, BANK));
    t = fresh(s, 0);
    for (int i = 0; i < TABLE; i++) t->model.embedding[i] *= 0.1f;
    pairs_loss(t, before);
    for (int step = 0; step < 200; step++) {
        memset(t->gradient.embedding, 0, NUMBERS * sizeof(float));
        pairs_loss(t, after);
        update(&adagrad, 0.05f, NUMBERS, t->gradient.embedding, t->sum.embedding,
               t->model.embedding);
    }
    pairs_loss(t, after);
    say(s,
        "nn.Embedding is static: 'bank' has one row, by a river and in a city. In Sentence-BERT "
        "the vector of a token (here, a word) is dynamic: it depends on the tokens around it. "
        "Sentence-BERT has 12 layers of 12 heads; here is one:\n"
        "x = the row of the word + the row of its place in the sentence. nn.Linear makes a query, "
        "a key and a value of each x. Attention: token i takes a share of the value of each token "
        "j, softmax over j of (query of i) . (key of j) / sqrt 10. Now its vector is y = x + all "
        "that it took. The mean of all y is the vector of the sentence: that is the S.\n"
        "It learns from pairs. Both sentences go through the same weights; the loss is (cosine - "
        "label)^2: label 1 for the same meaning, 0 for another one. The cosines before and after "
        "200 steps (nothing was learned from the new pairs):\n"
        "%68s",
        "label  before   after");
    for (int i = 0; i < PAIRS; i++) {
        printf("   %-20s  %-24s  %4.0f %7.2f %7.2f%s\n", pairs[i].one, pairs[i].other,
               pairs[i].label, before[i], after[i], i < LEARNED ? "" : "  new");
        if (i < LEARNED) error = fmaxf(error, fabsf(after[i] - pairs[i].label));
    }
    say(s, "\"man bites dog\" and \"dog bites man\" have the same words and places: the same sum "
           "of rows (section 7). Without attention their cosine would stay 1. (Twelve pairs teach "
           "only these words. Sentence-BERT learned from a million.)\n"
           "'bank' takes these shares, and its one x becomes two y:");
    Sentence river = print_shares(s, "bank by the river"),
             city = print_shares(s, "bank in the city");
    print_row(s, "x, in both", river.x[0], DIM);
    print_row(s, "y by the river", river.y[0], DIM);
    print_row(s, "y in the city", city.y[0], DIM);
    check(s, fabsf(gradient - trial) < 1e-5f,
          "the gradient of a number before attention agrees with nudging");
    check(s, error < 0.1f, "each learned pair's cosine is its label, to %.2f", error);
    check(s, after[12] > after[13], "new pairs: the same meaning %.2f, another one %.2f", after[12],
          after[13]);
    check_sentence(s, &river);
    check(s, same(river.x[0], city.x[0], DIM), "'bank' has the same x in both sentences");
    check(s, apart(river.y[0], city.y[0], DIM) > 0.01, "and two different y");
}

/* ---- the whole */

static const struct {
    const char *title;
    void (*run)(Story *s);
} sections[] = {{"", NULL},
                {"Characters become integers", characters_to_ids},
                {"nn.Embedding(100, 10) is a table of 100 rows", the_table},
                {"Looking up is multiplying", lookup_is_multiplication},
                {"One position, by hand", one_position},
                {"It learns", it_learns},
                {"Every argument of nn.Embedding", every_argument},
                {"nn.Embedding and nn.Linear", embedding_and_linear},
                {"What it is good for", a_whole_text},
                {"Sentence-BERT, computed", sentence_bert}};
enum { LAST = sizeof sections / sizeof *sections - 1 };

static void start(Story *s, const char *string, uint32_t seed) {
    const char *no_color = getenv("NO_COLOR");
    char *text = text_argument("the string", string), name[8];
    s->length = strlen(text);
    if (s->length == 0) wrong_use("the string is empty: give at least one character, such as a");
    s->ids = allocate(s->length + 1, 1, "the string");
    for (size_t i = 0; i <= s->length; i++) s->ids[i] = id_of(text[i % s->length]);
    s->batch = followers(s->ids, s->length);
    for (int c = 0; c < CHARACTERS; c++)
        snprintf(s->names[c], sizeof s->names[c], character_of(c) == ' ' ? "%s" : "'%s'",
                 character_name(character_of(c), name));
    s->seed = seed;
    s->known = seed == 1 && !strcmp(string, notebook);
    s->colour = isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
    free(text);
}

int main(int argc, char **argv) {
    static const char usage[] =
        "wtf [OPTIONS] [SECTION] [STRING]: what nn.Embedding does, computed in front of\n"
        "you and checked. It follows the notebook \"WTF does nn.Embedding do?\", in which\n"
        "PyTorch's nn.Embedding(100, 10) looks up the characters of that string.\n";
    static const char examples[] = "Examples:\n"
                                   "  wtf 4                    section 4 only\n"
                                   "  wtf \"hello, world\"       another string\n";
    static Story story;
    Story *s = &story;
    size_t seed = 1, only = 0;
    bool pause = false;
    const char *words[2] = {"", notebook};
    Option options[] = {{GROUP, .name = "Options"},
                        {COUNT, "seed", 's', &seed, 0, UINT32_MAX, "N",
                         "of the table's numbers, as torch.manual_seed"},
                        {FLAG, "pause", 'p', &pause, .help = "wait for Enter between the sections"},
                        {0}};
    set_program_name(argv[0]);
    size_t count = parse_options(argc, argv, options, usage, examples, words, 2);
    if (words[0][0] >= '1' && words[0][0] <= '0' + LAST && !words[0][1]) only = words[0][0] - '0';
    if (count == 2 && only == 0)
        wrong_use("\"%s\" is not a section: give a number from 1 to %d", words[0], LAST);
    start(s, words[count == 1 && !only ? 0 : 1], seed);
    if (!only) {
        printf("%s\n", notebook);
        say(s, "A notebook of this name explains PyTorch's nn.Embedding. Here its statements are "
               "computed one by one, and checked.");
    }
    for (size_t i = only ? only : 1; i <= (only ? only : LAST); i++) {
        printf(s->colour ? "\n\033[1;36m%zu  %s\033[0m\n" : "\n%zu  %s\n", i, sections[i].title);
        sections[i].run(s);
        if (!pause || only || i == LAST) continue;
        printf("\n   Press Enter to go on.");
        fflush(stdout);
        for (int c = 0; c != EOF && c != '\n';) c = getchar();
    }
    if (s->failures > 0)
        printf("\n%zu of the checks failed.\n", s->failures);
    else
        printf("\nAll checks hold.%s\n",
               only ? "" : " train data/text.txt does this on a whole text.");
    flush_output();
    free(s->batch.offsets);
    free(s->ids);
    return s->failures > 0;
}
