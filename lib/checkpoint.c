#include "checkpoint.h"

#include "fail.h"
#include "version.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- numbers ---- */

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

/* FNV-1a. */
static const uint64_t hash_start = 0xcbf29ce484222325u;

static uint64_t hash_add(uint64_t hash, uint32_t number) {
    return (hash ^ number) * 0x100000001b3u;
}

static void add_hash(Metadata *metadata, const char *key, uint64_t hash) {
    metadata_add(metadata, key, "%016llx", (unsigned long long)hash);
}

static bool has_hash(const TensorFile *file, const char *key, uint64_t hash) {
    const char *value = metadata_find(file, key);
    return value && strtoull(value, NULL, 16) == hash;
}

/* ---- models: writing ---- */

/* The arrays of a model in a file, and those of Adagrad's sums. */
enum { EMBEDDING, WEIGHT, BIAS, ARRAYS };
static const char *const weights[] = {"embedding.weight", "linear.weight", "linear.bias"};
static const char *const sums[] = {"optimizer.embedding.weight.sum", "optimizer.linear.weight.sum",
                                   "optimizer.linear.bias.sum"};

static Tensor array_of(const Model *model, const char *const *names, int which) {
    const void *const data[] = {model->embedding, model->linear, model->bias};
    size_t rows = which == EMBEDDING ? model->rows : CHARACTERS;
    return tensor_of(names[which], "F32", rows, which == BIAS ? 0 : model->dim, data[which]);
}

static void add_model(TensorFile *file, const char *const *names, const Model *model) {
    for (int a = 0; a < ARRAYS; a++) tensor_add(file, array_of(model, names, a));
}

/* Arrays of bytes come last, so that every other one stands aligned; those of no rows are left out.
   An n-gram's text stands at the end of its cell, behind 0 bytes. A phrase comes right behind its
   parent, and those that extend it: of each the length and the last character are enough. */
TensorFile model_file(const char *path, const Model *model, const Vocabulary *vocabulary,
                      const uint32_t *counts, Metadata metadata) {
    static uint8_t columns[COLUMNS];
    const RowOptions *options = &vocabulary->options;
    const size_t order = (size_t)options->order, ngrams_end = vocabulary->end[NGRAM_ROWS];
    const size_t ngrams = ngrams_end - CHARACTERS;
    const size_t phrases = vocabulary->end[PHRASE_ROWS] - ngrams_end;
    uint8_t *cells = allocate(ngrams, order, "saving"), *cell = cells;
    uint8_t *pairs = allocate(phrases, 2, "saving"), *pair = pairs;
    TensorFile file = {.owned = {cells, pairs}, .metadata = metadata};
    char text[MAX_PHRASE];
    for (uint32_t row = CHARACTERS; row < vocabulary->end[PHRASE_ROWS]; row++) {
        size_t length = row_text(vocabulary, row, text);
        if (row < ngrams_end) {
            cell += order;
            memcpy(cell - length, text, length);
        } else {
            *pair++ = (uint8_t)length;
            *pair++ = (uint8_t)text[length - 1];
        }
    }
    for (uint8_t c = 0; c < COLUMNS; c++) columns[c] = c;
    if (!model_finite(model))
        fail("%s: not written, for a weight is not a finite number; start again with a smaller "
             "--lr",
             path);
    const Tensor arrays[] = {
        tensor_of("counts", "I32", vocabulary->rows, 0, counts),
        tensor_of("ngrams", "U8", ngrams, order, cells),
        tensor_of("phrases", "U8", phrases, 2, pairs),
        tensor_of("echoes", "U8", (size_t)options->echoes, 0, options->echo_keys),
        tensor_of("columns", "U8", options->columns ? COLUMNS : 0, 0, columns)};
    add_model(&file, weights, model);
    for (int a = 0; a < 5; a++)
        if (arrays[a].shape[0]) tensor_add(&file, arrays[a]);
    return file;
}

size_t model_size(const Vocabulary *vocabulary, size_t dim) {
    size_t numbers = vocabulary->rows * (dim + 1) + linear_size(dim); /* with the counts */
    size_t ngrams = vocabulary->end[NGRAM_ROWS] - CHARACTERS;
    size_t phrases = vocabulary->end[PHRASE_ROWS] - vocabulary->end[NGRAM_ROWS];
    return numbers * sizeof(float) + ngrams * (size_t)vocabulary->options.order + 2 * phrases;
}

/* ---- models: reading ---- */

static _Noreturn void inconsistent(const TensorFile *file, const char *why) {
    fail("%s: is no model of this program: %s; name one that train wrote", file->path, why);
}

/* A key of echoes is so many characters or words, which may have rows for each case; or the word,
   for what followed earlier; or the place in the line. */
static bool is_echo_key(uint8_t key) {
    uint8_t plain = key % ECHO_CASES;
    bool words = plain == ECHO_WORDS + 1 || plain == ECHO_WORDS + 2;
    return (plain >= 1 && plain <= MAX_ECHO_KEY) || words || key == ECHO_ABOVE ||
           key == ECHO_EARLIER;
}

/* The rows of a file: they take bytes of it, texts of no length don't. Only the number of rows says
   how much memory is due. Other programs write no metadata of ours: then the order is as long as
   the n-grams are. */
static Vocabulary vocabulary_of(const TensorFile *file, size_t rows) {
    static const char another[] =
        "its embedding has another number of rows than its ngrams, phrases and echoes say";
    const Tensor ngrams = tensor_find(file, "ngrams", "U8", 2);
    const Tensor phrases = tensor_find(file, "phrases", "U8", 2);
    const Tensor echoes = tensor_find(file, "echoes", "U8", 1);
    const Tensor columns = tensor_find(file, "columns", "U8", 1);
    double order = metadata_number(file, "order", ngrams.data ? (double)ngrams.shape[1] : 1);
    const char *reason;
    Vocabulary vocabulary;
    if (!(order >= 1 && order <= MAX_ORDER) || order != floor(order))
        inconsistent(file, "its order is not from 1 to 32");
    if (ngrams.data && ngrams.shape[1] != (size_t)order)
        inconsistent(file, "its ngrams are not as long as its order");
    if (phrases.data && phrases.shape[1] != 2)
        inconsistent(file, "its phrases are not pairs of a length and a character");
    if (echoes.shape[0] > MAX_ECHOES)
        inconsistent(file, "it has more echoes than this program knows");
    if (columns.data && columns.shape[0] != COLUMNS)
        inconsistent(file, "its columns are not 0 to 80");
    RowOptions options = {.order = (int)order,
                          .min_count = 1,
                          .max_rows = UINT32_MAX,
                          .phrases = phrases.data != NULL,
                          .columns = columns.data != NULL,
                          .echoes = (int)echoes.shape[0]};
    for (int e = 0; e < options.echoes; e++) {
        options.echo_keys[e] = ((const uint8_t *)echoes.data)[e];
        if (!is_echo_key(options.echo_keys[e]))
            inconsistent(file, "an echo has a key that is not known");
        if (memchr(options.echo_keys, options.echo_keys[e], (size_t)e))
            inconsistent(file, "two echoes have the same key");
    }
    if (ngrams.shape[0] > rows || phrases.shape[0] > rows) inconsistent(file, another);
    if (!vocabulary_read(&vocabulary, options, ngrams.data, ngrams.shape[0], phrases.data,
                         phrases.shape[0], &reason))
        inconsistent(file, reason);
    if (vocabulary.rows != rows) inconsistent(file, another);
    tensor_take(file, tensor_of("counts", "I32", rows, 0, vocabulary.count)); /* may be missing */
    return vocabulary;
}

SavedModel model_open(const char *path) {
    SavedModel saved = {.file = tensors_open(entry_of(path), "a model")};
    TensorFile *file = &saved.file;
    const Tensor embedding = tensor_find(file, weights[EMBEDDING], "F32", 2);
    if (metadata_find(file, "random.position"))
        fail("%s: is a checkpoint, for --resume; name the model.safetensors beside it", path);
    if (!embedding.data || !tensor_find(file, weights[WEIGHT], "F32", 2).data ||
        !tensor_find(file, weights[BIAS], "F32", 1).data)
        inconsistent(file, "it lacks embedding.weight, linear.weight or linear.bias as F32");
    size_t rows = embedding.shape[0], dim = embedding.shape[1];
    if (dim < 1 || dim > MAX_DIM) inconsistent(file, "its dim is not from 1 to 4096");
    float *linear = allocate(linear_size(dim), sizeof *linear, "the linear layer");
    saved.model = (Model){rows, dim, (float *)embedding.data, linear, linear + CHARACTERS * dim};
    if (!tensor_take(file, array_of(&saved.model, weights, WEIGHT)) ||
        !tensor_take(file, array_of(&saved.model, weights, BIAS)))
        inconsistent(file, "its linear layer does not fit its embedding");
    saved.vocabulary = vocabulary_of(file, rows);
    if ((uintptr_t)embedding.data % sizeof(float)) { /* not to be used where it stands */
        saved.model.embedding = file->owned[0] = allocate(rows, dim * sizeof(float), "the model");
        tensor_take(file, array_of(&saved.model, weights, EMBEDDING));
    }
    saved.step = step_start(saved.model, (Model){0}, 1);
    return saved;
}

void model_close(SavedModel *saved) {
    free(saved->model.linear);
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
    bool counted = tensor_find(&other.file, "counts", "I32", 1).data, common = false;
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

/* ---- runs: saving ---- */

bool model_is_large(const Model *model) {
    return model->rows * model->dim * sizeof(float) >= (size_t)512 << 20;
}

/* The weights' fingerprint, which stands in a checkpoint for those that are the best model's. */
static uint64_t fingerprint(const Model *model) {
    const float *numbers[] = {model->embedding, model->linear};
    const size_t counts[] = {model->rows * model->dim, linear_size(model->dim)};
    uint64_t hash = hash_start;
    for (int a = 0; a < 2; a++)
        for (size_t i = 0; i < counts[a]; i++) {
            uint32_t bits;
            memcpy(&bits, numbers[a] + i, sizeof bits);
            hash = hash_add(hash, bits);
        }
    return hash;
}

/* A fingerprint of what is known about a run. One that is made longer stays the same run. */
static uint64_t run_hash(const Metadata *about) {
    uint64_t hash = hash_start;
    for (const char *key = metadata_next(about, NULL); key; key = metadata_next(about, key)) {
        const char *value = metadata_value(key), *end = value + strlen(value) + 1;
        for (const char *c = key; c < end && strcmp(key, "epochs") != 0; c++)
            hash = hash_add(hash, (uint8_t)*c);
    }
    return hash;
}

/* What every file of the run says. */
static Metadata run_metadata(const Metadata *about) {
    Metadata metadata = {0};
    metadata_add(&metadata, "format", "pt");
    add_hash(&metadata, "run", run_hash(about));
    return metadata;
}

/* What the model and the checkpoint say. */
static Metadata description(const State *state, const Trainer *trainer) {
    Metadata metadata = run_metadata(&state->about);
    metadata_add(&metadata, "program", "embedding -> linear -> softmax, character by character");
    metadata_add(&metadata, "version", VERSION);
    buffer_bytes(&metadata, state->about.text, state->about.length);
    metadata_add(&metadata, "steps", "%zu", trainer->steps);
    metadata_add(&metadata, "val_loss", "%.6f", state->best_loss);
    metadata_add(&metadata, "best_step", "%zu", state->best_step);
    return metadata;
}

/* The counts of rows in groups. Strings and their counts are left out: the run lists them again. */
static Tensor counts_of(const Vocabulary *vocabulary) {
    const uint32_t strings = vocabulary->end[PHRASE_ROWS];
    const uint32_t *counts = vocabulary->count + strings;
    return tensor_of("counts", "I32", vocabulary->rows - strings, 0, counts);
}

/* The weights are left out where they are those of the best model, which is saved beside: a large
   one may be replaced before the next checkpoint is saved. */
static TensorFile checkpoint_file(const State *state, const Trainer *trainer) {
    /* within a shard, the state before its shuffle, so that resuming shuffles it alike */
    bool within = trainer->step < trainer->shard_end;
    const Random *random = within ? &trainer->shard_random : &trainer->random;
    TensorFile file = {.metadata = description(state, trainer)};
    Buffer log = {0};
    metadata_add(&file.metadata, "exact_val_loss", "%a", state->best_loss);
    metadata_add(&file.metadata, "since_best", "%zu", state->since_best);
    metadata_add(&file.metadata, "train_sum", "%a", state->train_sum);
    metadata_add(&file.metadata, "train_positions", "%zu", state->train_positions);
    metadata_add(&file.metadata, "step", "%zu", trainer->step);
    metadata_add(&file.metadata, "random.position", "%u", (unsigned)random->position);
    snapshots_add(&state->snapshots, &file);
    if (state->best_step != trainer->step || model_is_large(&trainer->model))
        add_model(&file, weights, &trainer->model);
    else
        add_hash(&file.metadata, "model", fingerprint(&trainer->model));
    if (!trainer->options.sgd) add_model(&file, sums, &trainer->sum);
    tensor_add(&file, tensor_of("random.state", "I32", 624, 0, random->state));
    tensor_add(&file, counts_of(trainer->vocabulary));
    log_print(&state->log, false, &log);
    tensor_add(&file, tensor_of("log", "U8", log.length, 0, log.text));
    file.owned[0] = log.text;
    return file;
}

/* All memory is taken before the first file is begun. The checkpoint takes its name first: should
   the program end before the best model takes its own, state_resume finds it under its temporary
   one. */
void state_save(State *state, const Trainer *trainer, const Folder *folder, bool best_only) {
    const Best *best = &state->best;
    const Entry *entry = folder->file;
    TensorFile files[LOG] = {{0}};
    Buffer log = {0};
    Writer writer = {0};
    if (best->unsaved)
        files[MODEL] = model_file(entry[MODEL].path, &best->model, trainer->vocabulary,
                                  best->counts, description(state, trainer));
    if (!best_only) {
        files[CHECKPOINT] = checkpoint_file(state, trainer);
        files[SNAPSHOTS].metadata = run_metadata(&state->about);
        snapshots_add(&state->snapshots, &files[SNAPSHOTS]);
    }
    log_print(&state->log, true, &log);
    for (int i = 0; i < LOG; i++) tensors_prepare(&files[i], entry[i].path);
    for (int i = 0; i < LOG; i++)
        if (files[i].tensor_count) tensors_write(&files[i], &writer, entry[i]);
    writer_begin(&writer, entry[LOG]);
    writer_add(&writer, log.text, log.length);
    writer_finish(&writer);
    for (int i = 0; i < LOG; i++) tensors_close(&files[i]);
    buffer_free(&log);
    state->best.unsaved = false;
}

void state_keep_best(State *state, const Trainer *trainer, const Folder *folder) {
    const Model *model = &trainer->model;
    uint32_t *counts = trainer->vocabulary->count;
    Best *best = &state->best;
    if (model_is_large(model)) {
        *best = (Best){*model, counts, true};
        state_save(state, trainer, folder, true);
        *best = (Best){0};
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

void state_free(State *state) {
    model_free(&state->best.model);
    free(state->best.counts);
    buffer_free(&state->about);
    snapshots_free(&state->snapshots);
    log_free(&state->log);
}

/* ---- runs: going on ---- */

/* Ends the program: something of the checkpoint is not as it must be. */
static _Noreturn void no_checkpoint(const TensorFile *file, const char *what, const char *why) {
    fail("%s: is no checkpoint of this run: its %s %s; start again without --resume", file->path,
         what, why);
}

TensorFile checkpoint_open(Entry entry, Option *options) {
    TensorFile file = tensors_open(entry, "a checkpoint");
    for (Option *option = options; option->name; option++) {
        if (option->kind == GROUP || option->not_kept) continue;
        const char *saved = metadata_find(&file, option->name);
        if (!saved) no_checkpoint(&file, option->name, "is missing");
        bool epochs = option->given && strcmp(option->name, "epochs") == 0;
        if (epochs && *(size_t *)option->value > strtoull(saved, NULL, 10)) continue;
        char *given = option_text(option);
        if (option->given && strcmp(given, saved) != 0)
            fail("%s: this run has --%s %s, not %s; leave that option out, or start again without "
                 "--resume",
                 file.path, option->name, saved, given);
        free(given);
        if (!option_restore(option, saved))
            fail("%s: \"%s\" is no value for --%s; start again without --resume", file.path, saved,
                 option->name);
    }
    return file;
}

/* Copies an array of the checkpoint. */
static void take(const TensorFile *file, Tensor tensor) {
    if (!tensor_take(file, tensor))
        no_checkpoint(file, tensor.name, "is missing or has another shape");
}

/* A number of the checkpoint from 0 to `most`; a whole one. */
static double number_of(const TensorFile *file, const char *key, double most) {
    double number = metadata_number(file, key, NAN);
    if (!(number >= 0 && number <= most)) no_checkpoint(file, key, "is missing or out of range");
    return number;
}

static size_t count_of(const TensorFile *file, const char *key, size_t most) {
    const double exact = 9007199254740992.0; /* 2^53: whole numbers so far */
    double number = number_of(file, key, fmin((double)most, exact));
    if (number != floor(number)) no_checkpoint(file, key, "is out of range");
    return (size_t)number;
}

/* Is this file the best model of the run, or newer? Then takes its weights, where the checkpoint
   has their fingerprint. */
static bool take_best(Entry entry, const State *state, Model *model, const TensorFile *checkpoint) {
    TensorFile file;
    if (tensors_map(&file, entry)) return false;
    const char *run = metadata_find(&file, "run"), *wanted = metadata_find(checkpoint, "run");
    bool good = run && wanted && strcmp(run, wanted) == 0 &&
                metadata_number(&file, "best_step", -1) >= (double)state->best_step;
    if (metadata_find(checkpoint, "model")) {
        for (int a = 0; a < ARRAYS; a++)
            good = good && tensor_take(&file, array_of(model, weights, a));
        good = good && has_hash(checkpoint, "model", fingerprint(model));
    }
    tensors_close(&file);
    return good;
}

/* A run that died while its files took their names left the best model under its temporary name. */
static void find_best(const State *state, Model *model, const Folder *folder,
                      const TensorFile *checkpoint) {
    const Entry *entry = folder->file;
    if (take_best(entry[MODEL], state, model, checkpoint)) return;
    if (!take_best(entry[PARTIAL + MODEL], state, model, checkpoint))
        fail("%s: is not the model of the run to resume; copy the one that was beside its "
             "checkpoint to here, or start again without --resume",
             entry[MODEL].path);
    folder_complete(folder, MODEL);
}

/* The rows are the checkpoint's; only their seconds stand in loss.csv alone. */
static void take_log(Log *log, const Folder *folder, const TensorFile *file) {
    const Tensor rows = tensor_find(file, "log", "U8", 1);
    Buffer text = {0};
    if (rows.data) buffer_bytes(&text, rows.data, rows.shape[0]);
    if (!log_parse(log, &text)) no_checkpoint(file, "log", "is damaged");
    buffer_free(&text);
    if (!log_time(log, folder->file[LOG]))
        notice("%s: is missing or damaged, or of another run: it is written again, but for its "
               "seconds",
               folder->file[LOG].path);
}

void checkpoint_check(const TensorFile *checkpoint, const Metadata *about, size_t rows,
                      size_t dim) {
    const TensorFile run = {.metadata = *about};
    const char *text = metadata_find(checkpoint, "text_fingerprint");
    Tensor table = tensor_find(checkpoint, weights[EMBEDDING], "F32", 2);
    if (!text || strcmp(text, metadata_find(&run, "text_fingerprint")) != 0)
        fail("%s: this run was on another text; give that text, or start again without --resume",
             checkpoint->path);
    if (!table.data) table = tensor_find(checkpoint, sums[EMBEDDING], "F32", 2);
    if (table.data && (table.shape[0] != rows || table.shape[1] != dim))
        no_checkpoint(checkpoint, table.name, "is missing or has another shape");
    if (!has_hash(checkpoint, "run", run_hash(about)))
        no_checkpoint(checkpoint, "options", "are not of the run");
}

void state_resume(State *state, Trainer *trainer, const Folder *folder,
                  const TensorFile *checkpoint) {
    size_t step = count_of(checkpoint, "step", trainer->steps);
    size_t positions = smaller(positions_before(trainer, step), trainer->length);
    size_t evaluations = count_of(checkpoint, "evaluations", SIZE_MAX);
    state->best_loss = number_of(checkpoint, "exact_val_loss", MOST_LOSS);
    state->best_step = count_of(checkpoint, "best_step", step);
    state->since_best = count_of(checkpoint, "since_best", evaluations);
    /* since the last evaluation: each epoch has one */
    state->train_positions = count_of(checkpoint, "train_positions", positions);
    state->train_sum =
        number_of(checkpoint, "train_sum", MOST_LOSS * (double)state->train_positions);
    trainer->random.position = (uint32_t)count_of(checkpoint, "random.position", 624);
    find_best(state, &trainer->model, folder, checkpoint);
    for (int a = 0; a < ARRAYS; a++) {
        if (!metadata_find(checkpoint, "model"))
            take(checkpoint, array_of(&trainer->model, weights, a));
        if (!trainer->options.sgd) take(checkpoint, array_of(&trainer->sum, sums, a));
    }
    if (!trainer_finite(trainer))
        no_checkpoint(checkpoint, "arrays", "hold numbers that are not finite");
    take(checkpoint, tensor_of("random.state", "I32", 624, 0, trainer->random.state));
    take(checkpoint, counts_of(trainer->vocabulary));
    if (!snapshots_read(&state->snapshots, checkpoint) &&
        tensor_find(checkpoint, "snapshots", "F32", 3).data)
        no_checkpoint(checkpoint, "snapshots", "are damaged");
    take_log(&state->log, folder, checkpoint);
    if (metadata_count(checkpoint, "epochs") < trainer->options.epochs)
        state->since_best = 0; /* a longer run has new hope */
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
