#include "settings.h"

#include "fail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "train [OPTIONS] TEXT: trains Embedding -> Linear -> softmax to predict the next\n"
    "character of a text file (- is standard input). Writes model.safetensors,\n"
    "checkpoint.safetensors, snapshots.safetensors and loss.csv into OUT.\n";
static const char examples[] =
    "Examples:\n"
    "  train data/text.txt                a good model with no thinking\n"
    "  train --order 1 --dim 10 my.txt    nn.Embedding(100, 10) -> nn.Linear(10, 100)\n"
    "  train --resume data/text.txt       goes on with a run that was stopped\n";

/* What nobody chose is below 0, or 0 where that makes no sense: settings_complete chooses it. */
static const Settings defaults = {
    .order = 4,
    .max_rows = 3000000,
    .seed = 1,
    .evaluations = 4,
    .val = 0.1,
    .save_every = 30,
    .kinds = "all",
    .optimizer = "adagrad",
    .norm_type = "2",
    .out = "out",
    .pretrained = "",
    .init = "",
    .val_text = "",
    .run = {
        .embedding_lr = -1, .linear_lr = -1, .final_lr = 0.1, .accumulator = -1, .deviation = -1}};

/* Appends options to a table; returns its new end. */
static Option *append(Option *end, const Option *options, size_t size) {
    memcpy(end, options, size);
    return end + size / sizeof *options;
}

/* Of each option: kind, name, letter, variable, lowest and highest value, its value's name in
   --help, help, not_kept, advanced (for experiments). */
static Option *append_training(Option *end, Settings *s) {
    RunOptions *run = &s->run;
    const Option options[] = {
        {GROUP, .name = "Model"},
        {COUNT, "order", 'n', &s->order, 1, MAX_ORDER, "N",
         "longest n-gram that has a row; 1: characters only"},
        {COUNT, "dim", 'd', &run->dim, 1, MAX_DIM, "D",
         "numbers in a row (default by the text's size)"},
        {COUNT, "min-count", 'm', &s->min_count, 1, UINT32_MAX, "N",
         "how often a string must occur to have a row (default by the text's size)"},
        {COUNT, "max-rows", 0, &s->max_rows, 0, 1e9, "N",
         "n-grams and phrases at most: the rarest get no row"},
        {TEXT, "rows", 0, &s->kinds, 0, 0, "KINDS",
         "rows beside characters and n-grams: some of phrases,echoes,columns, or ngrams: none"},
        {GROUP, .name = "Training"},
        {COUNT, "epochs", 'e', &run->epochs, 0, 1e6, "N",
         "passes through the text (default by its size)"},
        {COUNT, "batch", 'b', &run->batch, 1, 1 << 20, "N",
         "positions in a batch (default by its size)"},
        {REAL, "lr", 'l', &run->embedding_lr, 0, 1e30, "X",
         "the embedding's learning rate (default by the text's size; sgd: 10)"},
        {TEXT, "optimizer", 'o', &s->optimizer, 0, 0, "NAME", "adagrad or sgd"},
        {REAL, "val", 0, &s->val, 0, 0.9, "X",
         "share of the text, its end, that is for validation; 0: train on all of it"},
        {TEXT, "val-text", 0, &s->val_text, 0, 0, "FILE",
         "validate on this text instead, and train on all of TEXT"},
        {COUNT, "seed", 's', &s->seed, 0, UINT32_MAX, "N", "as torch.manual_seed"},
        {COUNT, "threads", 't', &s->threads, 1, 256, "N",
         "processors to use; any number gives the same result", true},
        {FLAG, "reference", 0, &run->reference, 0, 1, NULL,
         "train by model.h's plain loops: the same result, slower", true},
    };
    return append(end, options, sizeof options);
}

static Option *append_others(Option *end, Settings *s) {
    RunOptions *run = &s->run;
    const Option options[] = {
        {GROUP, .name = "As nn.Embedding has them"},
        {TEXT, "init", 0, &s->init, 0, 0, "FILE",
         "start from another model: its linear layer, and its rows as --pretrained"},
        {TEXT, "pretrained", 0, &s->pretrained, 0, 0, "FILE",
         "start from another model's rows, matched by their text"},
        {FLAG, "freeze-embedding", 0, &run->freeze_embedding, 0, 1, NULL,
         "the rows keep what they start with"},
        {REAL, "max-norm", 0, &run->max_norm, 0, 1e30, "X",
         "rows longer than this are shortened when they are used (default never)"},
        {TEXT, "norm-type", 0, &s->norm_type, 0, 0, "P", "the p of that norm, or inf"},
        {FLAG, "scale-grad-by-freq", 0, &run->scale_grad_by_freq, 0, 1, NULL,
         "divide a row's gradient by its count in the batch"},
        {GROUP, .name = "Files and messages"},
        {TEXT, "out", 0, &s->out, 0, 0, "DIR", "where results go", true},
        {FLAG, "resume", 'r', &s->resume, 0, 1, NULL, "go on with the run in DIR, with its options",
         true},
        {REAL, "save-every", 0, &s->save_every, 0, 1e9, "S", "seconds between saves", true},
        {FLAG, "strict", 0, &s->strict, 0, 1, NULL,
         "a character that would be left out is an error", true},
        {FLAG, "quiet", 'q', &s->quiet, 0, 1, NULL, "say nothing but what goes wrong", true},
        {REAL, "linear-lr", 0, &run->linear_lr, 0, 1e30, "X",
         "the linear layer's learning rate (default 0.03; sgd: 0.5)", false, true},
        {REAL, "final-lr", 0, &run->final_lr, 0, 1, "X",
         "share of both rates that is left at the end", false, true},
        {REAL, "accumulator", 0, &run->accumulator, 0, 1e30, "X",
         "Adagrad's initial accumulator (default 1 / batch^2; order 1: 0)", false, true},
        {REAL, "init-std", 0, &run->deviation, 0, MAX_DEVIATION, "X",
         "of the characters' rows (default 0.1; order 1: 1)", false, true},
        {COUNT, "evaluations", 0, &s->evaluations, 1, 1000, "N",
         "validations in an epoch; as many without a better model end the run", false, true},
        {COUNT, "batch-losses", 0, &s->batch_losses, 0, 1e15, "N",
         "print the losses of the first N batches to standard output", true, true},
    };
    return append(end, options, sizeof options);
}

static bool is_word(const char *word, const char *text, size_t length) {
    return strlen(word) == length && !strncmp(word, text, length);
}

/* The kinds of rows that are named in a list with commas. */
static void choose_rows(Settings *settings) {
    enum { CHAR = ECHO_CASES, WORD = ECHO_CASES + ECHO_WORDS };
    static const uint8_t keys[] = {2,  3,        CHAR + 4, CHAR + 6,     CHAR + 10, 16,
                                   32, WORD + 1, WORD + 2, ECHO_EARLIER, ECHO_ABOVE};
    const char *kind = settings->kinds;
    RowOptions *rows = &settings->rows;
    *rows = (RowOptions){.order = (int)settings->order,
                         .min_count = (uint32_t)settings->min_count,
                         .max_rows = (uint32_t)settings->max_rows};
    if (!strcmp(kind, "all")) kind = settings->order > 1 ? "phrases,echoes,columns" : "ngrams";
    for (size_t length;; kind += length + 1) {
        length = strcspn(kind, ",");
        if (is_word("phrases", kind, length)) {
            rows->phrases = true;
        } else if (is_word("columns", kind, length)) {
            rows->columns = true;
        } else if (is_word("echoes", kind, length)) {
            rows->echoes = sizeof keys;
            memcpy(rows->echo_keys, keys, sizeof keys);
        } else if (is_word("all", kind, length)) {
            wrong_use("--rows: \"all\" is every kind: give it alone, or name some of ngrams, "
                      "phrases, echoes, columns");
        } else if (!is_word("ngrams", kind, length)) {
            wrong_use("--rows: \"%.*s\" is none of ngrams, phrases, echoes, columns", (int)length,
                      kind);
        }
        if (!kind[length]) return;
    }
}

/* Below so many characters a text has long rows, and three epochs. */
enum { MEDIUM = 250000 };

/* Small texts need many small steps. bench/small holds the default to a search over batches, epochs
   and learning rates; docs/learning.md has its figures. */
static void choose_schedule(RunOptions *run, size_t length, bool characters_only) {
    size_t epochs = 2, batch = 256;
    if (length > 3000000) epochs = 1;
    if (length < (characters_only ? 30000 : MEDIUM)) epochs = 3;
    if (length < 7000) epochs = 6;
    if (length < 3000) epochs = 8;
    if (length < 1500) epochs = 16;
    while (batch > 16 && batch > length / 64) batch /= 2;
    if (run->epochs == 0) run->epochs = epochs;
    if (run->batch == 0) run->batch = batch;
}

/* Long rows, and rows of strings that occur once, earn something on short texts only: so the files
   grow more slowly than the text (docs/learning.md). */
static void choose_size(Settings *settings, size_t length) {
    size_t dim = 48;
    if (length < 700000) dim = 64;
    if (length < MEDIUM) dim = 96;
    if (settings->run.dim == 0) settings->run.dim = dim;
    if (settings->min_count == 0) settings->min_count = length < MEDIUM ? 1 : 2;
}

static void choose_rates(RunOptions *run, size_t length, bool sgd, bool characters_only) {
    double batch = (double)run->batch, lr = 0.1;
    if (length >= 30000 && length < MEDIUM && !characters_only) lr = 0.05;
    if (run->embedding_lr < 0) run->embedding_lr = sgd ? 10 : lr;
    if (run->linear_lr < 0) run->linear_lr = sgd ? 0.5 : 0.03;
    if (run->accumulator < 0) run->accumulator = characters_only ? 0 : 1 / (batch * batch);
    if (run->deviation < 0) run->deviation = characters_only ? 1 : 0.1;
}

void settings_complete(Settings *settings, size_t length) {
    RunOptions *run = &settings->run;
    bool sgd = strcmp(settings->optimizer, "sgd") == 0;
    if (!sgd && strcmp(settings->optimizer, "adagrad") != 0)
        wrong_use("--optimizer: \"%s\" is neither adagrad nor sgd", settings->optimizer);
    char *end;
    run->norm_type = strtod(settings->norm_type, &end);
    if (end == settings->norm_type || *end || !(run->norm_type > 0))
        wrong_use("--norm-type: \"%s\" is no number above 0, nor inf", settings->norm_type);
    run->sgd = sgd;
    run->seed = (uint32_t)settings->seed;
    choose_size(settings, length);
    choose_schedule(run, length, settings->order == 1);
    choose_rates(run, length, sgd, settings->order == 1);
    choose_rows(settings);
}

void settings_read(Settings *settings, int argc, char **argv) {
    *settings = defaults;
    settings->program = argv[0];
    size_t most = 4; /* a batch of 256 is cut into four parts: more threads would wait */
    settings->threads = (size_t)processors() < most ? (size_t)processors() : most;
    append_others(append_training(settings->options, settings), settings);
    if (parse_options(argc, argv, settings->options, usage, examples, &settings->text, 1) == 0)
        wrong_use("name a text file to train on, such as data/text.txt; see --help");
    Settings trial = *settings;
    settings_complete(&trial, 0); /* refuses unknown names before anything is read */
}
