#include "checkpoint.h"

#include "fail.h"
#include "version.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ----------------------------------------------------------------------------------- */

static bool all_between(const float *values, size_t count, float low) {
    bool good = true;
    for (size_t i = 0; i < count; i++) good &= values[i] >= low && values[i] <= FLT_MAX;
    return good;
}

static bool model_between(const Model *model, float low) {
    return all_between(model->embedding, model->rows * model->dim, low) &&
           all_between(model->linear, linear_size(model->dim), low);
}

bool all_finite(const float *values, size_t count) { return all_between(values, count, -FLT_MAX); }

void require_finite(const float *values, size_t count) {
    if (!all_finite(values, count))
        fail("the model holds numbers that are not finite; train it again");
}

bool model_finite(const Model *model) { return model_between(model, -FLT_MAX); }

bool trainer_finite(const Trainer *trainer) {
    if (!model_finite(&trainer->model)) return false;
    return trainer->options.sgd || model_between(&trainer->sum, 0);
}

/* FNV-1a over all weights, as numbers of 32 bits. */
static uint64_t fingerprint(const Model *model) {
    const void *arrays[] = {model->embedding, model->linear};
    const size_t counts[] = {model->rows * model->dim, linear_size(model->dim)};
    uint64_t hash = 0xcbf29ce484222325u;
    for (int a = 0; a < 2; a++)
        for (size_t i = 0; i < counts[a]; i++) {
            uint32_t bits;
            memcpy(&bits, (const uint8_t *)arrays[a] + i * sizeof bits, sizeof bits);
            hash = (hash ^ bits) * 0x100000001b3u;
        }
    return hash;
}

/* ---- models: writing ---------------------------------------------------------------------------- */

/* The arrays of a Model in a file, and those of Adagrad's sums. */
static const char *const weights[] = {"embedding.weight", "linear.weight", "linear.bias"};
static const char *const sums[] = {"optimizer.embedding.weight.sum", "optimizer.linear.weight.sum",
                                   "optimizer.linear.bias.sum"};

static void add_model(TensorFile *file, const char *const *names, const Model *model) {
    size_t dim = model->dim;
    tensor_add(file, names[0], "F32", 2, (size_t[]){model->rows, dim}, model->embedding);
    tensor_add(file, names[1], "F32", 2, (size_t[]){CHARACTERS, dim}, model->linear);
    tensor_add(file, names[2], "F32", 1, (size_t[]){CHARACTERS}, model->bias);
}

static size_t row_count(const Vocabulary *vocabulary, RowKind kind) {
    return vocabulary->end[kind] - vocabulary->end[kind - 1];
}

/* [n-grams, order]: the text of each at the end of its cell behind 0 bytes. */
static uint8_t *ngram_texts(const Vocabulary *vocabulary) {
    size_t order = (size_t)vocabulary->options.order;
    uint8_t *cells = allocate(row_count(vocabulary, NGRAM_ROWS), order, "saving"), *end = cells;
    char text[MAX_PHRASE];
    for (uint32_t row = CHARACTERS; row < vocabulary->end[NGRAM_ROWS]; row++) {
        size_t length = row_text(vocabulary, row, text);
        end += order;
        memcpy(end - length, text, length);
    }
    return cells;
}

/* [phrases, 2]: the length and the last character of each. A phrase comes right behind its parent,
   and those that extend it: the other characters are the first ones of the phrase before. */
static uint8_t *phrase_ends(const Vocabulary *vocabulary) {
    uint32_t first = vocabulary->end[NGRAM_ROWS], count = vocabulary->end[PHRASE_ROWS] - first;
    uint8_t *pairs = allocate(count, 2, "saving");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = vocabulary->parent[first + i];
        pairs[2 * i] = parent == NO_ROW ? 1 : (uint8_t)(pairs[2 * (parent - first)] + 1);
        pairs[2 * i + 1] = character_of(vocabulary->letter[first + i]);
    }
    return pairs;
}

/* Arrays of bytes come last, so that every other one stands aligned. */
TensorFile model_file(const char *path, const Model *model, const Vocabulary *vocabulary,
                      const uint32_t *counts, const Metadata *metadata) {
    static uint8_t columns[COLUMNS];
    for (uint8_t c = 0; c < COLUMNS; c++) columns[c] = c;
    const RowOptions *options = &vocabulary->options;
    size_t ngrams = row_count(vocabulary, NGRAM_ROWS), phrases = row_count(vocabulary, PHRASE_ROWS);
    const size_t ngram_shape[] = {ngrams, (size_t)options->order}, phrase_shape[] = {phrases, 2};
    uint8_t *texts = ngram_texts(vocabulary), *ends = phrase_ends(vocabulary);
    TensorFile file = {.owned = {texts, ends}};
    if (!model_finite(model))
        fail("%s: not written, for a weight is not a finite number; start again with a smaller "
             "--lr",
             path);
    add_model(&file, weights, model);
    tensor_add(&file, "counts", "I32", 1, (size_t[]){vocabulary->rows}, counts);
    if (ngrams) tensor_add(&file, "ngrams", "U8", 2, ngram_shape, texts);
    if (phrases) tensor_add(&file, "phrases", "U8", 2, phrase_shape, ends);
    if (options->echoes)
        tensor_add(&file, "echoes", "U8", 1, (size_t[]){(size_t)options->echoes},
                   options->echo_keys);
    if (options->columns) tensor_add(&file, "columns", "U8", 1, (size_t[]){COLUMNS}, columns);
    metadata_copy(&file.metadata, metadata);
    tensors_prepare(&file, path);
    return file;
}

size_t model_size(const Vocabulary *vocabulary, size_t dim) {
    size_t numbers = vocabulary->rows * (dim + 1) + linear_size(dim); /* with the counts */
    size_t ngrams = row_count(vocabulary, NGRAM_ROWS) * (size_t)vocabulary->options.order;
    return numbers * sizeof(float) + ngrams + 2 * row_count(vocabulary, PHRASE_ROWS);
}

/* ---- models: reading ----------------------------------------------------------------------------- */

static _Noreturn void inconsistent(const char *path, const char *why) {
    fail("%s: is no model of this program: %s; name one that ./train wrote", path, why);
}

/* A key of echoes is so many characters, or so many words. */
static bool is_echo_key(uint8_t key) {
    bool words = key == ECHO_WORDS + 1 || key == ECHO_WORDS + 2;
    return (key >= 1 && key <= MAX_ECHO_KEY) || words || key == ECHO_ABOVE;
}

/* Other programs write no metadata of ours: then the order is as long as the n-grams are. */
static RowOptions row_options_of(const char *path, const TensorFile *file) {
    const Tensor *ngrams = tensor_find(file, "ngrams", "U8", 2);
    const Tensor *echoes = tensor_find(file, "echoes", "U8", 1);
    const Tensor *columns = tensor_find(file, "columns", "U8", 1);
    double order = metadata_number(file, "order", ngrams ? (double)ngrams->shape[1] : 1);
    RowOptions options = {.min_count = 1, .max_rows = UINT32_MAX};
    if (!(order >= 1 && order <= MAX_ORDER) || order != (int)order)
        inconsistent(path, "its order is not from 1 to 32");
    if (ngrams && ngrams->shape[1] != (size_t)order)
        inconsistent(path, "its ngrams are not as long as its order");
    if (echoes && echoes->shape[0] > MAX_ECHOES)
        inconsistent(path, "it has more echoes than this program knows");
    if (columns && columns->shape[0] != COLUMNS) inconsistent(path, "its columns are not 0 to 80");
    options.order = (int)order;
    options.echoes = echoes ? (int)echoes->shape[0] : 0;
    for (int e = 0; e < options.echoes; e++) {
        options.echo_keys[e] = ((const uint8_t *)echoes->data)[e];
        if (!is_echo_key(options.echo_keys[e]))
            inconsistent(path, "an echo has a key that is not known");
    }
    options.phrases = tensor_find(file, "phrases", "U8", 2) != NULL;
    options.columns = columns != NULL;
    return options;
}

/* The rows of a file: they take bytes of it, texts of no length don't. Only the number of rows says
   how much memory is due. */
static Vocabulary vocabulary_of(const char *path, const TensorFile *file, size_t rows) {
    static const Tensor none = {.data = NULL};
    const Tensor *ngrams = tensor_find(file, "ngrams", "U8", 2);
    const Tensor *phrases = tensor_find(file, "phrases", "U8", 2);
    const Tensor *counts = tensor_find(file, "counts", "I32", 1);
    const char *reason = "its embedding has another number of rows than its ngrams, phrases and "
                         "echoes say";
    const char *other;
    Vocabulary vocabulary;
    RowOptions options = row_options_of(path, file);
    if (!ngrams) ngrams = &none;
    if (!phrases) phrases = &none;
    if (phrases->data && phrases->shape[1] != 2)
        inconsistent(path, "its phrases are not pairs of a length and a character");
    if (ngrams->shape[0] > rows || phrases->shape[0] > rows) inconsistent(path, reason);
    if (!vocabulary_read(&vocabulary, options, ngrams->data, ngrams->shape[0], phrases->data,
                         phrases->shape[0], &other))
        inconsistent(path, other);
    if (vocabulary.rows != rows) inconsistent(path, reason);
    if (counts && counts->shape[0] == rows)
        memcpy(vocabulary.count, counts->data, rows * sizeof(uint32_t));
    return vocabulary;
}

static void copy_linear(Model *model, const void *weight, const void *bias) {
    memcpy(model->linear, weight, CHARACTERS * model->dim * sizeof(float));
    memcpy(model->bias, bias, CHARACTERS * sizeof(float));
}

SavedModel model_open(const char *path) {
    SavedModel saved = {.file = tensors_open(entry_of(path), "a model")};
    const Tensor *embedding = tensor_find(&saved.file, weights[0], "F32", 2);
    const Tensor *linear = tensor_find(&saved.file, weights[1], "F32", 2);
    const Tensor *bias = tensor_find(&saved.file, weights[2], "F32", 1);
    if (metadata_find(&saved.file, "random.position"))
        fail("%s: is a checkpoint, for --resume; name the model.safetensors beside it", path);
    if (!embedding || !linear || !bias)
        inconsistent(path, "it lacks embedding.weight, linear.weight or linear.bias as F32");
    size_t rows = embedding->shape[0], dim = embedding->shape[1];
    if (dim < 1 || dim > MAX_DIM) inconsistent(path, "its dim is not from 1 to 4096");
    if (linear->shape[0] != CHARACTERS || linear->shape[1] != dim || bias->shape[0] != CHARACTERS)
        inconsistent(path, "its linear layer does not fit its embedding");
    saved.vocabulary = vocabulary_of(path, &saved.file, rows);
    saved.mapped = (uintptr_t)embedding->data % sizeof(float) == 0;
    saved.model = model_allocate(saved.mapped ? 0 : rows, dim);
    saved.model.rows = rows;
    if (saved.mapped) {
        free(saved.model.embedding);
        saved.model.embedding = (float *)embedding->data;
    } else {
        memcpy(saved.model.embedding, embedding->data, rows * dim * sizeof(float));
    }
    copy_linear(&saved.model, linear->data, bias->data);
    saved.step = step_start(saved.model, (Model){0}, 1);
    return saved;
}

void model_close(SavedModel *saved) {
    if (saved->mapped) saved->model.embedding = NULL;
    model_free(&saved->model);
    step_free(&saved->step);
    vocabulary_free(&saved->vocabulary);
    tensors_close(&saved->file);
}

size_t model_adopt(Model *model, const Vocabulary *vocabulary, const char *path, bool linear) {
    SavedModel other = model_open(path);
    size_t dim = model->dim, other_dim = other.model.dim, adopted = 0;
    if (other_dim != dim)
        fail("%s: its rows have %zu numbers, not %zu; train with --dim %zu to start from it", path,
             other_dim, dim, other_dim);
    bool counted = tensor_find(&other.file, "counts", "I32", 1), common = false;
    for (uint32_t row = 0; row < other.vocabulary.rows; row++) {
        uint32_t mine = same_row(vocabulary, &other.vocabulary, row);
        if (mine == NO_ROW) continue;
        common |= vocabulary->count[mine] && (!counted || other.vocabulary.count[row]);
        memcpy(model->embedding + mine * dim, other.model.embedding + row * dim,
               dim * sizeof(float));
        adopted++;
    }
    if (!common)
        fail("%s: no row in common: it was trained on none of the characters of this text; name "
             "another model",
             path);
    if (linear) memcpy(model->linear, other.model.linear, linear_size(dim) * sizeof(float));
    model_close(&other);
    return adopted;
}

/* ---- runs: saving ---------------------------------------------------------------------------------- */

static const size_t large = (size_t)512 << 20; /* bytes of a model that is not copied */

bool model_is_large(const Model *model) {
    return model->rows * model->dim * sizeof(float) >= large;
}

/* FNV-1a over what the files say of the run: every file of the run has this key. A run that is made
   longer stays the same run. */
static void add_run(Metadata *metadata, const Metadata *about) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *key = metadata_next(about, NULL); key; key = metadata_next(about, key)) {
        const char *end = metadata_value(key) + strlen(metadata_value(key)) + 1;
        for (const char *c = key; c < end && strcmp(key, "epochs") != 0; c++)
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
    }
    metadata_add(metadata, "format", "pt");
    metadata_add(metadata, "run", "%016llx", (unsigned long long)hash);
}

static void add_description(Metadata *metadata, const State *state, const Trainer *trainer) {
    add_run(metadata, &state->about);
    metadata_add(metadata, "program", "embedding -> linear -> softmax, character by character");
    metadata_add(metadata, "version", VERSION);
    metadata_copy(metadata, &state->about);
    metadata_add(metadata, "steps", "%zu", trainer->steps);
    metadata_add(metadata, "val_loss", "%.6f", state->standing.best_loss);
    metadata_add(metadata, "best_step", "%zu", state->standing.best_step);
}

static TensorFile best_file(const State *state, const Trainer *trainer, const char *path,
                            const Model *model, const uint32_t *counts) {
    Metadata metadata = {0};
    add_description(&metadata, state, trainer);
    TensorFile file = model_file(path, model, trainer->vocabulary, counts, &metadata);
    buffer_free(&metadata);
    return file;
}

void state_keep_best(State *state, const Trainer *trainer, const Folder *folder) {
    const Model *model = &trainer->model;
    const uint32_t *counts = trainer->vocabulary->count;
    Best *best = &state->best;
    if (model_is_large(model)) {
        Writer writer = {0};
        Entry entry = folder->file[MODEL];
        TensorFile file = best_file(state, trainer, entry.path, model, counts);
        tensors_write(&file, &writer, entry);
        writer_finish(&writer);
        tensors_close(&file);
        return;
    }
    if (!best->counts) {
        best->model = model_allocate(model->rows, model->dim);
        best->counts = allocate(model->rows, sizeof *counts, "the best model");
    }
    memcpy(best->model.embedding, model->embedding, model->rows * model->dim * sizeof(float));
    memcpy(best->model.linear, model->linear, linear_size(model->dim) * sizeof(float));
    memcpy(best->counts, counts, model->rows * sizeof *counts);
    best->unsaved = true;
}

/* The weights are left out where they are those of the best model, which is saved beside: its
   fingerprint stands for them. A large one may be replaced before the next checkpoint is saved. */
static void add_weights(TensorFile *file, const State *state, const Trainer *trainer) {
    const Model *model = &trainer->model;
    if (state->standing.best_step != trainer->step || model_is_large(model)) {
        add_model(file, weights, model);
        return;
    }
    metadata_add(&file->metadata, "model", "%016llx", (unsigned long long)fingerprint(model));
}

/* Strings and their counts are left out: the run lists them again. */
static TensorFile checkpoint_file(const State *state, const Trainer *trainer, const char *path) {
    const Standing *standing = &state->standing;
    const uint32_t strings = trainer->vocabulary->end[PHRASE_ROWS];
    /* within a shard, the state before its shuffle, so that resuming shuffles it alike */
    bool within = trainer->step < trainer->shard_end;
    const Random *random = within ? &trainer->shard_random : &trainer->random;
    Buffer log = {0};
    TensorFile file = {0};
    add_description(&file.metadata, state, trainer);
    metadata_add(&file.metadata, "exact_val_loss", "%a", standing->best_loss);
    metadata_add(&file.metadata, "since_best", "%zu", standing->since_best);
    metadata_add(&file.metadata, "train_sum", "%a", standing->train_sum);
    metadata_add(&file.metadata, "train_positions", "%zu", standing->train_positions);
    metadata_add(&file.metadata, "step", "%zu", trainer->step);
    metadata_add(&file.metadata, "random.position", "%u", (unsigned)random->position);
    snapshots_add(&state->snapshots, &file);
    add_weights(&file, state, trainer);
    if (!trainer->options.sgd) add_model(&file, sums, &trainer->sum);
    tensor_add(&file, "random.state", "I32", 1, (size_t[]){624}, random->state);
    tensor_add(&file, "counts", "I32", 1, (size_t[]){trainer->vocabulary->rows - strings},
               trainer->vocabulary->count + strings);
    log_print(&state->log, false, &log);
    tensor_add(&file, "log", "U8", 1, (size_t[]){log.length}, log.text);
    file.owned[0] = log.text;
    tensors_prepare(&file, path);
    return file;
}

static TensorFile snapshots_file(const State *state, const char *path) {
    TensorFile file = {0};
    add_run(&file.metadata, &state->about);
    snapshots_add(&state->snapshots, &file);
    tensors_prepare(&file, path);
    return file;
}

/* The checkpoint takes its name first. Should the program end before the best model takes its own,
   state_resume finds it under its temporary one. */
static void save_all(const State *state, const Trainer *trainer, const Folder *folder,
                     TensorFile *best) {
    const Entry *entry = folder->file;
    TensorFile checkpoint = checkpoint_file(state, trainer, entry[CHECKPOINT].path);
    TensorFile snapshots = snapshots_file(state, entry[SNAPSHOTS].path);
    Buffer log = {0};
    Writer writer = {0};
    log_print(&state->log, true, &log);
    tensors_write(&checkpoint, &writer, entry[CHECKPOINT]);
    if (state->best.unsaved) tensors_write(best, &writer, entry[MODEL]);
    if (snapshots.tensor_count) tensors_write(&snapshots, &writer, entry[SNAPSHOTS]);
    writer_begin(&writer, entry[LOG]);
    writer_add(&writer, log.text, log.length);
    writer_finish(&writer);
    tensors_close(&checkpoint);
    tensors_close(&snapshots);
    buffer_free(&log);
}

void state_save(State *state, const Trainer *trainer, const Folder *folder, bool best_only) {
    const Best *best = &state->best;
    const Entry entry = folder->file[MODEL];
    Writer writer = {0};
    TensorFile file = {0};
    if (best->unsaved) file = best_file(state, trainer, entry.path, &best->model, best->counts);
    if (!best_only) save_all(state, trainer, folder, &file);
    if (best_only && best->unsaved) tensors_write(&file, &writer, entry);
    writer_finish(&writer);
    tensors_close(&file);
    state->best.unsaved = false;
}

void state_free(State *state) {
    model_free(&state->best.model);
    free(state->best.counts);
    buffer_free(&state->about);
    snapshots_free(&state->snapshots);
    log_free(&state->log);
}

/* ---- runs: going on ---------------------------------------------------------------------------------- */

/* Ends the program: something of the checkpoint is not as it must be. */
static _Noreturn void no_checkpoint(const char *path, const char *what) {
    fail("%s: is no checkpoint of this run: %s; start again without --resume", path, what);
}

/* Is this option given to make the run longer than it was? */
static bool is_longer(const Option *option, const char *saved) {
    if (!option->given || strcmp(option->name, "epochs") != 0) return false;
    return *(size_t *)option->value > strtoull(saved, NULL, 10);
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
        if (is_longer(option, saved)) continue;
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

/* Copies an array of the checkpoint; fails when it has not this dtype and shape. */
static void take(const TensorFile *file, const char *path, const char *name, const char *dtype,
                 size_t rows, size_t columns, void *to) {
    const Tensor *tensor = tensor_find(file, name, dtype, columns ? 2 : 1);
    if (!tensor || tensor->shape[0] != rows || (columns && tensor->shape[1] != columns))
        fail("%s: is no checkpoint of this run: %s is missing or has another shape; start again "
             "without --resume",
             path, name);
    memcpy(to, tensor->data, tensor->end - tensor->begin);
}

static void take_model(const TensorFile *file, const char *path, const char *const *names,
                       Model *model) {
    take(file, path, names[0], "F32", model->rows, model->dim, model->embedding);
    take(file, path, names[1], "F32", CHARACTERS, model->dim, model->linear);
    take(file, path, names[2], "F32", CHARACTERS, 0, model->bias);
}

static _Noreturn void out_of_range(const char *path, const char *key) {
    fail("%s: is no checkpoint of this run: its %s is missing or out of range; start again without "
         "--resume",
         path, key);
}

/* A number of the checkpoint from 0 to `most`, or a whole one. */
static double number_of(const TensorFile *file, const char *path, const char *key, double most) {
    double number = metadata_number(file, key, NAN);
    if (!(number >= 0 && number <= most)) out_of_range(path, key);
    return number;
}

static size_t count_of(const TensorFile *file, const char *path, const char *key, size_t most) {
    const double exact = 9007199254740992.0; /* 2^53: whole numbers so far */
    double number = number_of(file, path, key, (double)most < exact ? (double)most : exact);
    if (number != floor(number)) out_of_range(path, key);
    return (size_t)number;
}

static bool same_value(const TensorFile *file, const char *key, const TensorFile *other) {
    const char *value = metadata_find(file, key), *wanted = metadata_find(other, key);
    return value && wanted && strcmp(value, wanted) == 0;
}

/* Returns NULL when this file is the best model of the checkpoint's run, and the checkpoint's model
   when that is kept in it: then takes its weights. Otherwise says why not. */
static const char *read_best(Entry entry, const State *state, Model *model,
                             const TensorFile *checkpoint) {
    TensorFile file;
    const char *reason = tensors_map(&file, entry), *wanted = metadata_find(checkpoint, "model");
    if (reason) return reason;
    if (!same_value(&file, "run", checkpoint)) reason = "it is of another run";
    if (metadata_number(&file, "best_step", -1) < (double)state->standing.best_step)
        reason = "it is older than the checkpoint";
    if (!reason && wanted) {
        char found[17];
        take_model(&file, entry.path, weights, model);
        snprintf(found, sizeof found, "%016llx", (unsigned long long)fingerprint(model));
        if (strcmp(found, wanted) != 0) reason = "its weights are others";
    }
    tensors_close(&file);
    return reason;
}

/* A run that died while its files took their names left the best model under its temporary name. */
static void find_best(const State *state, Model *model, const Folder *folder,
                      const TensorFile *checkpoint) {
    const char *reason = read_best(folder->file[MODEL], state, model, checkpoint);
    if (!reason) return;
    if (!read_best(folder->partial[MODEL], state, model, checkpoint)) {
        folder_complete(folder, MODEL);
        return;
    }
    fail(
        "%s: is not of the run to resume: %s; copy the one that was beside its checkpoint to here, "
        "or start again without --resume",
        folder->file[MODEL].path, reason);
}

static void take_standing(Standing *standing, const Trainer *trainer, size_t step, const char *path,
                          const TensorFile *file) {
    size_t batch = trainer->options.batch;
    size_t positions = trainer->length; /* at most: each epoch has an evaluation */
    size_t evaluations = count_of(file, path, "evaluations", SIZE_MAX);
    if (step < positions / batch) positions = step * batch;
    standing->best_loss = number_of(file, path, "exact_val_loss", MOST_LOSS);
    standing->best_step = count_of(file, path, "best_step", step);
    standing->since_best = count_of(file, path, "since_best", evaluations);
    standing->train_positions = count_of(file, path, "train_positions", positions);
    double most = MOST_LOSS * (double)standing->train_positions;
    standing->train_sum = number_of(file, path, "train_sum", most);
}

/* The rows are the checkpoint's; only their seconds stand in loss.csv alone. */
static void take_log(Log *log, const Folder *folder, const TensorFile *file) {
    const Tensor *rows = tensor_find(file, "log", "U8", 1);
    Buffer text = {0};
    if (rows) buffer_bytes(&text, rows->data, rows->shape[0]);
    if (!rows || !log_parse(log, &text))
        no_checkpoint(folder->file[CHECKPOINT].path, "its log is damaged");
    buffer_free(&text);
    if (!log_time(log, folder->file[LOG]))
        notice("%s: is missing or damaged, or of another run: it is written again, but for its "
               "seconds",
               folder->file[LOG].path);
}

void checkpoint_check(const TensorFile *checkpoint, const Folder *folder, const Metadata *about,
                      size_t rows, size_t dim) {
    const char *path = folder->file[CHECKPOINT].path;
    const Tensor *table = tensor_find(checkpoint, weights[0], "F32", 2);
    TensorFile own = {0};
    add_run(&own.metadata, about);
    metadata_copy(&own.metadata, about);
    if (!same_value(checkpoint, "text_fingerprint", &own))
        fail("%s: this run was on another text; give that text, or start again without --resume",
             path);
    if (!table) table = tensor_find(checkpoint, sums[0], "F32", 2);
    if (table && (table->shape[0] != rows || table->shape[1] != dim))
        no_checkpoint(path, "embedding.weight is missing or has another shape");
    if (!same_value(checkpoint, "run", &own)) no_checkpoint(path, "its options are not of the run");
    tensors_close(&own);
}

void state_resume(State *state, Trainer *trainer, const Folder *folder,
                  const TensorFile *checkpoint) {
    const char *path = folder->file[CHECKPOINT].path;
    Vocabulary *vocabulary = trainer->vocabulary;
    const uint32_t strings = vocabulary->end[PHRASE_ROWS];
    size_t step = count_of(checkpoint, path, "step", trainer->steps);
    take_standing(&state->standing, trainer, step, path, checkpoint);
    find_best(state, &trainer->model, folder, checkpoint);
    if (!metadata_find(checkpoint, "model")) take_model(checkpoint, path, weights, &trainer->model);
    if (!trainer->options.sgd) take_model(checkpoint, path, sums, &trainer->sum);
    if (!trainer_finite(trainer)) no_checkpoint(path, "it holds numbers that are not finite");
    take(checkpoint, path, "counts", "I32", vocabulary->rows - strings, 0,
         vocabulary->count + strings);
    take(checkpoint, path, "random.state", "I32", 624, 0, trainer->random.state);
    trainer->random.position = (uint32_t)count_of(checkpoint, path, "random.position", 624);
    if (!snapshots_read(&state->snapshots, checkpoint) &&
        tensor_find(checkpoint, "snapshots", "F32", 3))
        no_checkpoint(path, "its snapshots are damaged");
    take_log(&state->log, folder, checkpoint);
    if (metadata_count(checkpoint, "epochs") < trainer->options.epochs)
        state->standing.since_best = 0; /* a longer run has new hope */
    trainer_seek(trainer, step);
}

bool checkpoint_is_finished(const Folder *folder) {
    TensorFile file;
    if (tensors_map(&file, folder->file[CHECKPOINT])) return folder_used(folder);
    size_t evaluations = metadata_count(&file, "evaluations");
    bool finished = metadata_count(&file, "step") >= metadata_count(&file, "steps") ||
                    metadata_count(&file, "since_best") >= evaluations;
    tensors_close(&file);
    return finished;
}
