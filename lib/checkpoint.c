#include "checkpoint.h"

#include "fail.h"
#include "memory.h"
#include "version.h"

#include <float.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- saving ----------------------------------------------------------------------------------- */

/* A file to be written, and what is not in memory in that form. */
typedef struct {
    TensorFile file;
    uint8_t *texts[2]; /* ngrams, phrases */
} Saving;

/* A tensor [rows] or [rows, columns]. */
static void add_tensor(Saving *saving, const char *name, const char *dtype, const void *data,
                       size_t rows, size_t columns) {
    tensor_add(&saving->file, name, dtype, columns ? 2 : 1, (size_t[]){rows, columns}, data);
}

/* The texts of rows first..end-1, right-aligned in cells of `width`. */
static uint8_t *row_texts(const Vocabulary *vocabulary, uint32_t first, uint32_t end, size_t width) {
    uint8_t *cells = allocate(end - first, width, "saving");
    char text[MAX_PHRASE];
    for (uint32_t row = first; row < end; row++) {
        size_t length = row_text(vocabulary, row, text);
        memcpy(cells + (row - first + 1) * width - length, text, length);
    }
    return cells;
}

static size_t longest_phrase(const Vocabulary *vocabulary) {
    size_t longest = 0;
    char text[MAX_PHRASE];
    for (uint32_t row = vocabulary->end[NGRAM_ROWS]; row < vocabulary->end[PHRASE_ROWS]; row++) {
        size_t length = row_text(vocabulary, row, text);
        if (length > longest) longest = length;
    }
    return longest;
}

bool all_finite(const float *values, size_t count) {
    bool finite = true;
    for (size_t i = 0; i < count; i++) finite &= fabsf(values[i]) <= FLT_MAX;
    return finite;
}

void require_finite(const float *values, size_t count) {
    if (!all_finite(values, count)) fail("the model holds numbers that are not finite; train it again");
}

bool model_finite(const Model *model) {
    return all_finite(model->embedding, model->rows * model->dim) && all_finite(model->linear, linear_size(model->dim));
}

static bool all_sums(const float *sums, size_t count) {
    bool good = true;
    for (size_t i = 0; i < count; i++) good &= sums[i] >= 0 && sums[i] <= FLT_MAX;
    return good;
}

bool trainer_finite(const Trainer *trainer) {
    const Model *model = &trainer->model, *sum = &trainer->sum;
    if (!model_finite(model)) return false;
    return trainer->options.sgd || (all_sums(sum->embedding, model->rows * model->dim) &&
                                    all_sums(sum->linear, linear_size(model->dim)));
}

static Saving saving_start(Entry entry, const Model *model) {
    Saving saving = {0};
    if (!model_finite(model)) fail("%s: not written, for a weight is not a finite number; start again with a smaller --lr", entry.path);
    add_tensor(&saving, "embedding.weight", "F32", model->embedding, model->rows, model->dim);
    add_tensor(&saving, "linear.weight", "F32", model->linear, CHARACTERS, model->dim);
    add_tensor(&saving, "linear.bias", "F32", model->bias, CHARACTERS, 0);
    return saving;
}

/* Arrays of bytes come last, so that every other one stands aligned. */
static void saving_finish(Saving *saving, Entry entry, const Vocabulary *vocabulary,
                          const uint32_t *counts, const Metadata *metadata) {
    add_tensor(saving, "counts", "I32", counts, vocabulary->rows, 0);
    if (vocabulary->end[NGRAM_ROWS] > CHARACTERS) {
        size_t width = (size_t)vocabulary->options.order;
        saving->texts[0] = row_texts(vocabulary, CHARACTERS, vocabulary->end[NGRAM_ROWS], width);
        add_tensor(saving, "ngrams", "U8", saving->texts[0], vocabulary->end[NGRAM_ROWS] - CHARACTERS, width);
    }
    if (vocabulary->end[PHRASE_ROWS] > vocabulary->end[NGRAM_ROWS]) {
        size_t width = longest_phrase(vocabulary);
        saving->texts[1] = row_texts(vocabulary, vocabulary->end[NGRAM_ROWS], vocabulary->end[PHRASE_ROWS], width);
        add_tensor(saving, "phrases", "U8", saving->texts[1], vocabulary->end[PHRASE_ROWS] - vocabulary->end[NGRAM_ROWS], width);
    }
    if (vocabulary->options.echoes)
        add_tensor(saving, "echoes", "U8", vocabulary->options.echo_keys, (size_t)vocabulary->options.echoes, 0);
    uint8_t columns[COLUMNS];
    for (uint8_t c = 0; c < COLUMNS; c++) columns[c] = c;
    if (vocabulary->options.columns) add_tensor(saving, "columns", "U8", columns, COLUMNS, 0);
    metadata_copy(&saving->file.metadata, metadata);
    Writer writer = {0};
    tensors_write(&writer, entry, &saving->file);
    writer_finish(&writer);
    tensors_close(&saving->file);
    free(saving->texts[0]);
    free(saving->texts[1]);
}

void model_save(Entry entry, const Vocabulary *vocabulary, const uint32_t *counts,
                const Model *model, const Metadata *metadata) {
    Saving saving = saving_start(entry, model);
    saving_finish(&saving, entry, vocabulary, counts, metadata);
}

/* ---- opening ---------------------------------------------------------------------------------- */

static _Noreturn void inconsistent(const char *path, const char *why) {
    fail("%s: is no model of this program: %s; name one that ./train wrote", path, why);
}

/* Other programs write no metadata of ours: then the order is as long as the n-grams are. */
static RowOptions row_options_of(const char *path, const TensorFile *file) {
    const Tensor *ngrams = tensor_find(file, "ngrams", "U8", 2);
    double order = metadata_number(file, "order", ngrams ? (double)ngrams->shape[1] : 1);
    if (!(order >= 1 && order <= MAX_ORDER) || order != (int)order) inconsistent(path, "its order is not from 1 to 32");
    double least = metadata_number(file, "least_count", 1);
    RowOptions options = {.order = (int)order, .min_count = least >= 1 && least <= UINT32_MAX ? (uint32_t)least : 1, .max_rows = UINT32_MAX};
    const Tensor *echoes = tensor_find(file, "echoes", "U8", 1);
    if (echoes && echoes->shape[0] > MAX_ECHOES) inconsistent(path, "it has more echoes than this program knows");
    options.echoes = echoes ? (int)echoes->shape[0] : 0;
    for (int e = 0; e < options.echoes; e++) {
        uint8_t key = options.echo_keys[e] = ((const uint8_t *)echoes->data)[e];
        if (key < 1 || (key > MAX_ECHO_KEY && key != ECHO_WORDS + 1 && key != ECHO_WORDS + 2)) inconsistent(path, "an echo has a key that is not known");
    }
    const Tensor *columns = tensor_find(file, "columns", "U8", 1);
    if (columns && columns->shape[0] != COLUMNS) inconsistent(path, "its columns are not 0 to 80");
    options.columns = columns != NULL;
    return options;
}

static void copy_linear(Model *model, const void *weight, const void *bias) {
    memcpy(model->linear, weight, CHARACTERS * model->dim * sizeof(float));
    memcpy(model->bias, bias, CHARACTERS * sizeof(float));
}

SavedModel model_open(const char *path) {
    SavedModel saved = {.file = tensors_open(entry_of(path), "a model")};
    const TensorFile *file = &saved.file;
    const Tensor *embedding = tensor_find(file, "embedding.weight", "F32", 2), *weight = tensor_find(file, "linear.weight", "F32", 2);
    const Tensor *bias = tensor_find(file, "linear.bias", "F32", 1), *ngrams = tensor_find(file, "ngrams", "U8", 2);
    const Tensor *phrases = tensor_find(file, "phrases", "U8", 2), *counts = tensor_find(file, "counts", "I32", 1);
    if (!embedding || !weight || !bias) inconsistent(path, "it lacks embedding.weight, linear.weight or linear.bias as F32");
    size_t rows = embedding->shape[0], dim = embedding->shape[1];
    if (dim < 1 || dim > MAX_DIM) inconsistent(path, "its dim is not from 1 to 4096");
    if (weight->shape[0] != CHARACTERS || weight->shape[1] != dim || bias->shape[0] != CHARACTERS)
        inconsistent(path, "its linear layer does not fit its embedding");
    RowOptions options = row_options_of(path, file);
    if (ngrams && ngrams->shape[1] != (size_t)options.order) inconsistent(path, "its ngrams are not as long as its order");
    options.phrases = phrases != NULL;
    const char *reason, *other_rows = "its embedding has another number of rows than its ngrams, phrases and echoes say";
    /* rows take bytes of the file, texts of no length don't: only the former say how much memory is due */
    if ((ngrams && ngrams->shape[0] > rows) || (phrases && phrases->shape[0] > rows)) inconsistent(path, other_rows);
    if (!vocabulary_read(&saved.vocabulary, options, ngrams ? ngrams->data : NULL, ngrams ? ngrams->shape[0] : 0,
                             phrases ? phrases->data : NULL, phrases ? phrases->shape[0] : 0, phrases ? phrases->shape[1] : 0, &reason))
        inconsistent(path, reason);
    if (saved.vocabulary.rows != rows) inconsistent(path, other_rows);
    if (counts && counts->shape[0] == rows) memcpy(saved.vocabulary.count, counts->data, rows * sizeof(uint32_t));
    saved.mapped = (uintptr_t)embedding->data % sizeof(float) == 0;
    saved.model = model_allocate(saved.mapped ? 0 : rows, dim);
    saved.model.rows = rows;
    if (saved.mapped) {
        free(saved.model.embedding);
        saved.model.embedding = (float *)embedding->data;
    } else {
        memcpy(saved.model.embedding, embedding->data, rows * dim * sizeof(float));
    }
    copy_linear(&saved.model, weight->data, bias->data);
    saved.workspace = workspace_allocate(1, dim);
    workspace_load(&saved.workspace, &saved.model);
    return saved;
}

void model_close(SavedModel *saved) {
    if (saved->mapped) saved->model.embedding = NULL;
    model_free(&saved->model);
    workspace_free(&saved->workspace);
    vocabulary_free(&saved->vocabulary);
    tensors_close(&saved->file);
}

/* ---- going on --------------------------------------------------------------------------------- */

static const void *tensor_of(const char *path, const TensorFile *file, const char *name, const char *dtype, size_t rows, size_t columns) {
    const Tensor *tensor = tensor_find(file, name, dtype, columns ? 2 : 1);
    if (!tensor || tensor->shape[0] != rows || (columns && tensor->shape[1] != columns))
        fail("%s: is no checkpoint of this run: %s is missing or has another shape; start again without --resume", path, name);
    return tensor->data;
}

/* Does a file say all that `about` says? */
static bool is_of_run(const TensorFile *file, const Metadata *about) {
    for (const char *key = metadata_next(about, NULL); key; key = metadata_next(about, key)) {
        const char *value = metadata_find(file, key);
        if (!value || strcmp(value, metadata_value(key)) != 0) return false;
    }
    return true;
}

void checkpoint_check(const char *path, const TensorFile *file, const Metadata *about, size_t rows,
                      size_t dim) {
    if (!is_of_run(file, about))
        fail("%s: this run was on another text; give that text, or start again without --resume",
             path);
    (void)tensor_of(path, file, "embedding.weight", "F32", rows, dim);
}

static double checkpoint_number(const char *path, const TensorFile *file, const char *key, double low,
                         double high) {
    double number = metadata_number(file, key, NAN);
    if (!(number >= low && number <= high))
        fail("%s: is no checkpoint of this run: its %s is missing or out of range; start again "
             "without --resume",
             path, key);
    return number;
}

static size_t checkpoint_count(const char *path, const TensorFile *file, const char *key, size_t most) {
    double exact = 9007199254740992.0; /* 2^53: whole numbers so far */
    double high = (double)most < exact ? (double)most : exact;
    double number = checkpoint_number(path, file, key, 0, high);
    if (number != floor(number))
        fail("%s: is no checkpoint of this run: its %s is out of range; start again without "
             "--resume",
             path, key);
    return (size_t)number;
}

/* ---- a run and its best model ------------------------------------------------------------------ */

static void copy_model(Model *to, const Model *from) {
    if (!to->embedding) *to = model_allocate(from->rows, from->dim);
    memcpy(to->embedding, from->embedding, from->rows * from->dim * sizeof(float));
    memcpy(to->linear, from->linear, linear_size(from->dim) * sizeof(float));
}

/* What is said of the run, and of its best model. */
static Metadata described(const Metadata *about, const Standing *standing) {
    Metadata metadata = {0};
    metadata_add(&metadata, "format", "pt");
    metadata_add(&metadata, "program", "embedding -> linear -> softmax, character by character");
    metadata_add(&metadata, "version", VERSION);
    metadata_copy(&metadata, about);
    metadata_add(&metadata, "val_loss", "%.6f", standing->best_loss);
    metadata_add(&metadata, "best_step", "%zu", standing->best_step);
    metadata_add(&metadata, "steps", "%zu", standing->steps);
    return metadata;
}

static void save_best(Entry entry, const Vocabulary *vocabulary, const uint32_t *counts,
                      const Model *model, const Metadata *about, const Standing *standing) {
    Metadata metadata = described(about, standing);
    model_save(entry, vocabulary, counts, model, &metadata);
    buffer_free(&metadata);
}

void best_keep(Best *best, Entry entry, const Vocabulary *vocabulary, const Model *model,
               const Metadata *about, const Standing *standing) {
    const size_t large = (size_t)512 << 20;
    size_t rows = model->rows;
    if (rows * model->dim * sizeof(float) >= large) {
        save_best(entry, vocabulary, vocabulary->count, model, about, standing);
        return;
    }
    copy_model(&best->model, model);
    if (!best->counts) best->counts = allocate(rows, sizeof *best->counts, "the best model");
    memcpy(best->counts, vocabulary->count, rows * sizeof *best->counts);
    best->unsaved = true;
}

void best_save(Best *best, Entry entry, const Vocabulary *vocabulary, const Metadata *about,
               const Standing *standing) {
    if (best->unsaved)
        save_best(entry, vocabulary, best->counts, &best->model, about, standing);
    best->unsaved = false;
}

void best_free(Best *best) {
    model_free(&best->model);
    free(best->counts);
    *best = (Best){0};
}

static void add_sums(Saving *saving, const Model *sum) {
    size_t rows = sum->rows, dim = sum->dim;
    add_tensor(saving, "optimizer.embedding.weight.sum", "F32", sum->embedding, rows, dim);
    add_tensor(saving, "optimizer.linear.weight.sum", "F32", sum->linear, CHARACTERS, dim);
    add_tensor(saving, "optimizer.linear.bias.sum", "F32", sum->bias, CHARACTERS, 0);
}

void checkpoint_save(Entry entry, const Trainer *trainer, const Metadata *about,
                     const Standing *standing) {
    const Model *model = &trainer->model;
    const Vocabulary *vocabulary = trainer->vocabulary;
    /* within a shard, the state before its shuffle, so that resuming shuffles it alike */
    bool within = trainer->step < trainer->shard_end;
    const Random *random = within ? &trainer->shard_random : &trainer->random;
    Saving saving = saving_start(entry, model);
    if (!trainer->options.sgd) add_sums(&saving, &trainer->sum);
    add_tensor(&saving, "random.state", "I32", random->state, 624, 0);
    Metadata metadata = described(about, standing);
    metadata_add(&metadata, "exact_val_loss", "%a", standing->best_loss);
    metadata_add(&metadata, "since_best", "%zu", standing->since_best);
    metadata_add(&metadata, "train_sum", "%a", standing->train_sum);
    metadata_add(&metadata, "train_positions", "%zu", standing->train_positions);
    metadata_add(&metadata, "step", "%zu", trainer->step);
    metadata_add(&metadata, "random.position", "%u", (unsigned)random->position);
    saving_finish(&saving, entry, vocabulary, vocabulary->count, &metadata);
    buffer_free(&metadata);
}

TensorFile checkpoint_open(Entry entry, Option *options) {
    const char *path = entry.path;
    TensorFile file = tensors_open(entry, "a checkpoint");
    for (Option *option = options; option->name; option++) {
        if (!option->decides) continue;
        const char *saved = metadata_find(&file, option->name);
        if (!saved)
            fail("%s: does not say its --%s, so it is no checkpoint; start again without --resume",
                 path, option->name);
        char *given = option_text(option);
        if (option->given && strcmp(given, saved) != 0)
            fail("%s: this run has --%s %s, not %s; leave that option out, or start again without "
                 "--resume",
                 path, option->name, saved, given);
        free(given);
        if (!option_restore(option, saved))
            fail("%s: \"%s\" is no value for --%s; start again without --resume", path, saved,
                 option->name);
    }
    return file;
}

/* The best model of a run is as new as its checkpoint, or newer. */
static void require_best(Entry entry, const Metadata *about, const Standing *standing) {
    TensorFile file = tensors_open(entry, "the best model of the run");
    double best_step = metadata_number(&file, "best_step", -1);
    if (!is_of_run(&file, about) || !(best_step >= (double)standing->best_step))
        fail("%s: is not of the run to resume; start again without --resume", entry.path);
    tensors_close(&file);
}

static Standing standing_of(const char *path, const TensorFile *file, const Trainer *trainer) {
    size_t batch = trainer->options.batch, step = trainer->step;
    size_t positions = trainer->length; /* at most: each epoch has an evaluation */
    if (step < positions / batch) positions = step * batch;
    size_t evaluations = checkpoint_count(path, file, "evaluations", SIZE_MAX);
    Standing standing = {.steps = trainer->steps};
    standing.best_loss = checkpoint_number(path, file, "exact_val_loss", 0, MOST_LOSS);
    standing.best_step = checkpoint_count(path, file, "best_step", step);
    standing.since_best = checkpoint_count(path, file, "since_best", evaluations);
    standing.train_positions = checkpoint_count(path, file, "train_positions", positions);
    double most = MOST_LOSS * (double)standing.train_positions;
    standing.train_sum = checkpoint_number(path, file, "train_sum", 0, most);
    return standing;
}

static void restore_sums(const char *path, const TensorFile *file, Model *sum) {
    size_t rows = sum->rows, dim = sum->dim;
    memcpy(sum->embedding,
           tensor_of(path, file, "optimizer.embedding.weight.sum", "F32", rows, dim),
           rows * dim * sizeof(float));
    copy_linear(sum, tensor_of(path, file, "optimizer.linear.weight.sum", "F32", CHARACTERS, dim),
                tensor_of(path, file, "optimizer.linear.bias.sum", "F32", CHARACTERS, 0));
}

void checkpoint_restore(const char *path, const TensorFile *file, Trainer *trainer,
                        Vocabulary *vocabulary, Standing *standing) {
    Model *model = &trainer->model;
    size_t rows = model->rows, dim = model->dim;
    memcpy(model->embedding, tensor_of(path, file, "embedding.weight", "F32", rows, dim),
           rows * dim * sizeof(float));
    copy_linear(model, tensor_of(path, file, "linear.weight", "F32", CHARACTERS, dim),
                tensor_of(path, file, "linear.bias", "F32", CHARACTERS, 0));
    memcpy(vocabulary->count, tensor_of(path, file, "counts", "I32", rows, 0),
           rows * sizeof(uint32_t));
    if (!trainer->options.sgd) restore_sums(path, file, &trainer->sum);
    if (!trainer_finite(trainer))
        fail("%s: is no checkpoint of this run: it holds numbers that are not finite; start again "
             "without --resume",
             path);
    memcpy(trainer->random.state, tensor_of(path, file, "random.state", "I32", 624, 0),
           sizeof trainer->random.state);
    trainer->random.position = (uint32_t)checkpoint_count(path, file, "random.position", 624);
    trainer_seek(trainer, checkpoint_count(path, file, "step", trainer->steps));
    *standing = standing_of(path, file, trainer);
}

void checkpoint_resume(const char *path, const TensorFile *file, Entry model,
                       const Metadata *about, Trainer *trainer, Vocabulary *vocabulary,
                       Standing *standing) {
    checkpoint_restore(path, file, trainer, vocabulary, standing);
    require_best(model, about, standing);
}

size_t model_size(const Vocabulary *vocabulary, size_t dim) {
    size_t ngrams = vocabulary->end[NGRAM_ROWS] - CHARACTERS, order = (size_t)vocabulary->options.order;
    size_t phrases = vocabulary->end[PHRASE_ROWS] - vocabulary->end[NGRAM_ROWS];
    size_t weights = ((size_t)vocabulary->rows + CHARACTERS) * dim + CHARACTERS;
    size_t names = ngrams * order + phrases * longest_phrase(vocabulary);
    return weights * sizeof(float) + vocabulary->rows * sizeof(uint32_t) + names;
}

/* ---- another model's rows ------------------------------------------------------------------------ */

size_t model_adopt(Model *model, const Vocabulary *vocabulary, const char *path, bool linear) {
    SavedModel other = model_open(path);
    if (other.model.dim != model->dim)
        fail("%s: its rows have %zu numbers, not %zu; train with --dim %zu to start from it", path, other.model.dim, model->dim, other.model.dim);
    const Tensor *counts = tensor_find(&other.file, "counts", "I32", 1);
    size_t adopted = 0, common = 0;
    for (uint32_t row = 0; row < other.vocabulary.rows; row++) {
        uint32_t mine = same_row(vocabulary, &other.vocabulary, row);
        if (mine == NO_ROW) continue;
        common += vocabulary->count[mine] && (!counts || other.vocabulary.count[row]); /* all 100 characters have rows: do any occur in both? */
        memcpy(model->embedding + mine * model->dim, other.model.embedding + row * model->dim, model->dim * sizeof(float));
        adopted++;
    }
    if (!common) fail("%s: no row in common: it was trained on none of the characters of this text; name another model", path);
    if (linear) memcpy(model->linear, other.model.linear, linear_size(model->dim) * sizeof(float));
    model_close(&other);
    return adopted;
}
