/* train.c: the story of a run, from a text to a model.

       text -> characters -> rows -> batches -> model -> loss -> files

   Read main first; model.h is where the learning happens. */
#include "model.h"

#include "lib/checkpoint.h"
#include "lib/vocabulary.h"
#include "lib/fail.h"
#include "lib/format.h"
#include "lib/options.h"
#include "lib/report.h"
#include "lib/start.h"
#include "lib/sampling.h"
#include "lib/snapshots.h"
#include "lib/text.h"
#include "lib/trainer.h"
#include "lib/version.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] = "train [OPTIONS] TEXT: trains Embedding -> Linear -> softmax to predict the next character of a text file\n"
                            "(- is standard input); writes model.safetensors, checkpoint.safetensors, snapshots.safetensors and loss.csv into OUT.\n";
static const char examples[] = "Examples:\n"
                               "  train data/text.txt                 a good model with no thinking\n"
                               "  train --order 1 --dim 10 my.txt     nn.Embedding(100, 10) -> nn.Linear(10, 100), nothing else\n"
                               "  train --resume data/text.txt        goes on with a run that was stopped\n";

static volatile sig_atomic_t interrupted;

static void interrupt(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

/* ---- the command line ------------------------------------------------------------------------- */

/* Everything it decides. Values below zero in a REAL mean: chosen by settle(). */
typedef struct {
    RowOptions rows;
    RunOptions run;
    size_t order, min_count, max_rows, seed, threads, evaluations, batch_losses;
    bool resume, strict, quiet;
    double held_out, save_every;
    const char *kinds, *rule, *norm_type, *out, *pretrained, *text;
} Settings;

static const Settings defaults = {
    .order = 7, .min_count = 1, .max_rows = 3000000, .seed = 1, .evaluations = 4, .held_out = 0.1, .save_every = 30,
    .kinds = "all", .rule = "adagrad", .norm_type = "2", .out = "out", .pretrained = "",
    .run = {.dim = 64, .batch = 256, .epochs = 0, .embedding_lr = -1, .linear_lr = -1, .final_lr = 0.1,
            .accumulator = -1, .deviation = -1},
};

/* Adds the kinds of rows named in a list with commas. */
static void add_kinds(RowOptions *rows, const char *kinds) {
    static const uint8_t keys[] = {2, 3, 4, 6, 8, 12, 20, 32, ECHO_WORDS + 1, ECHO_WORDS + 2};
    if (!strcmp(kinds, "all") || !strcmp(kinds, "ngrams")) return;
    for (size_t length;; kinds += length + 1) {
        length = strcspn(kinds, ",");
        if (length == 3 && !strncmp(kinds, "all", length)) {
            wrong_use("--rows: \"all\" is every kind: give it alone, or name some of ngrams, phrases, echoes, columns");
        } else if (length == 7 && !strncmp(kinds, "phrases", length)) {
            rows->phrases = true;
        } else if (length == 6 && !strncmp(kinds, "echoes", length)) {
            rows->echoes = sizeof keys;
            memcpy(rows->echo_keys, keys, sizeof keys);
        } else if (length == 7 && !strncmp(kinds, "columns", length)) {
            rows->columns = true;
        } else if (length != 6 || strncmp(kinds, "ngrams", length)) {
            wrong_use("--rows: \"%.*s\" is none of ngrams, phrases, echoes, columns", (int)length, kinds);
        }
        if (!kinds[length]) break;
    }
}

/* Turns what was given into what the run needs, and refuses what does not go together. */
static void settle(Settings *settings) {
    RunOptions *run = &settings->run;
    bool sgd = !strcmp(settings->rule, "sgd");
    if (!sgd && strcmp(settings->rule, "adagrad")) wrong_use("--optimizer: \"%s\" is neither adagrad nor sgd", settings->rule);
    run->sgd = sgd;
    bool characters_only = settings->order == 1;
    if (run->embedding_lr < 0) run->embedding_lr = sgd ? 10 : 0.1;
    if (run->linear_lr < 0) run->linear_lr = sgd ? 0.5 : 0.03;
    if (run->accumulator < 0) run->accumulator = characters_only ? 0 : 1 / ((double)run->batch * (double)run->batch);
    if (run->deviation < 0) run->deviation = characters_only ? 1 : 0.1;
    char *end;
    run->norm_type = strtod(settings->norm_type, &end);
    if (end == settings->norm_type || *end || !(run->norm_type > 0)) wrong_use("--norm-type: \"%s\" is no number above 0, nor inf", settings->norm_type);
    run->seed = (uint32_t)settings->seed;
    settings->rows = (RowOptions){.order = (int)settings->order, .min_count = (uint32_t)settings->min_count, .max_rows = (uint32_t)settings->max_rows};
    add_kinds(&settings->rows, !strcmp(settings->kinds, "all") && !characters_only ? "phrases,echoes,columns" : settings->kinds);
}

/* ---- what was found --------------------------------------------------------------------------- */

typedef struct {
    Settings settings;
    Option *options;
    Team *team;
    Text text;
    size_t split; /* training part: characters 0..split-1; held out: the rest */
    Yardsticks yardsticks;
    Vocabulary vocabulary;
    Bags held_out;
    Trainer *trainer;
    Snapshots snapshots;
    Log log;
    Progress progress;
    double started, base_seconds; /* when this process began to train; what the log had by then */
    double train_sum;             /* of the losses since the last evaluation, */
    size_t train_positions;       /* and of how many positions */
    double best_loss;             /* on the held-out part */
    size_t best_step, worse;      /* and evaluations since then */
    bool best_unsaved;
    Model best; /* a copy, while it is not saved, */
    uint32_t *best_counts; /* and of the counts of rows at its moment */
    const char *bad;              /* what beside a batch's loss was no finite number, NULL: nothing */
    double last_save;
    Folder folder;
} Run;

/* Was a loss or a weight no finite number? */
static bool diverged(const Run *run) { return run->trainer->bad_step || run->bad; }

static void path_in(const Run *run, const char *name, char *path) {
    if (snprintf(path, PATH_MAX, "%s/%s", run->settings.out, name) >= PATH_MAX) fail("%s: this name is too long", run->settings.out);
}

static void say_characters(const Run *run) {
    size_t counts[CHARACTERS] = {0};
    for (size_t i = 0; i < run->text.length; i++) counts[run->text.ids[i]]++;
    char present[CHARACTERS + 1];
    size_t used = 0, invisible = 0;
    for (uint8_t c = 0; c < CHARACTERS; c++) {
        if (!counts[c]) continue;
        if (character_of(c) > ' ') present[used++] = character_of(c);
        else invisible++;
    }
    present[used] = '\0';
    char a[32], b[32], c[32];
    fprintf(stderr, "text        %s characters: %s to train on, the last %s held out\n", grouped(run->text.length, a), grouped(run->split, b),
            grouped(run->text.length - run->split, c));
    fprintf(stderr, "characters  %zu of the 100 occur: %s", used + invisible, present);
    for (uint8_t id = 94; id < CHARACTERS; id++) {
        char name[8];
        if (counts[id]) fprintf(stderr, " %s", character_name(character_of(id), name));
    }
    fprintf(stderr, "\n");
}

static void say_rows(const Run *run) {
    const Vocabulary *vocabulary = &run->vocabulary;
    size_t of_length[MAX_ORDER + 1] = {0};
    char number[32], text[MAX_PHRASE];
    for (uint32_t row = CHARACTERS; row < vocabulary->end[NGRAM_ROWS]; row++) of_length[row_text(vocabulary, row, text)]++;
    fprintf(stderr, "rows        %s: 100 characters", grouped(vocabulary->rows, number));
    for (int k = 2; k <= vocabulary->options.order; k++)
        if (of_length[k]) fprintf(stderr, "%s %d: %s", k == 2 ? "; n-grams of" : ",", k, grouped(of_length[k], number));
    if (vocabulary->end[PHRASE_ROWS] > vocabulary->end[NGRAM_ROWS]) fprintf(stderr, "; phrases: %s", grouped(vocabulary->end[PHRASE_ROWS] - vocabulary->end[NGRAM_ROWS], number));
    if (vocabulary->options.echoes) fprintf(stderr, "; echoes: %d", vocabulary->options.echoes * CHARACTERS);
    if (vocabulary->options.columns) fprintf(stderr, "; columns: %d", COLUMNS);
    fprintf(stderr, "\n");
    if (vocabulary->min_count > vocabulary->options.min_count)
        fprintf(stderr, "            --max-rows %s: only strings seen at least %u times have a row\n", grouped(vocabulary->options.max_rows, number),
                (unsigned)vocabulary->min_count);
    if (run->split > LIST_SAMPLE)
        fprintf(stderr, "            listed from 64 stretches of 1 MB, evenly spread over the text\n");
    size_t parameters = ((size_t)vocabulary->rows + CHARACTERS) * run->settings.run.dim + CHARACTERS;
    fprintf(stderr, "parameters  %s (dim %zu)\n", grouped(parameters, number), run->settings.run.dim);
    fprintf(stderr, "yardsticks  %.3f nats/char knows nothing (ln 100), %.3f knows the characters' frequencies, %.3f those of pairs\n",
            run->yardsticks.uniform, run->yardsticks.unigram, run->yardsticks.conditional);
}

/* ---- saving ----------------------------------------------------------------------------------- */

/* What both files say of the run: its options, its text, the best model so far. */
static Metadata describe(const Run *run) {
    Metadata metadata = {0};
    metadata_add(&metadata, "format", "pt");
    metadata_add(&metadata, "program", "embedding -> linear -> softmax, character by character");
    metadata_add(&metadata, "version", VERSION);
    for (const Option *option = run->options; option->name; option++) {
        if (!option->decides) continue;
        char *value = option_text(option);
        metadata_add(&metadata, option->name, "%s", value);
        free(value);
    }
    metadata_add(&metadata, "text_characters", "%zu", run->text.length);
    metadata_add(&metadata, "train_characters", "%zu", run->split);
    metadata_add(&metadata, "text_fingerprint", "%016llx", (unsigned long long)text_fingerprint(run->text.ids, run->text.length));
    char opening[OPENING + 1];
    find_opening(run->text.ids, run->split, opening);
    metadata_add(&metadata, "opening", "%s", opening);
    metadata_add(&metadata, "least_count", "%u", (unsigned)run->vocabulary.min_count);
    metadata_add(&metadata, "unigram_entropy", "%.6f", run->yardsticks.unigram);
    metadata_add(&metadata, "conditional_entropy", "%.6f", run->yardsticks.conditional);
    metadata_add(&metadata, "val_loss", "%.6f", run->best_loss);
    metadata_add(&metadata, "best_step", "%zu", run->best_step);
    metadata_add(&metadata, "steps", "%zu", run->trainer->steps);
    return metadata;
}

/* First the best model, then the state: if this dies in between, going on from the older state finds the same best model again.
   A state with numbers that are not finite is not saved. */
static void save(Run *run) {
    char path[PATH_MAX];
    if (!diverged(run) && !trainer_finite(run->trainer)) run->bad = "a weight";
    Metadata metadata = describe(run);
    if (run->best_unsaved) {
        path_in(run, "model.safetensors", path);
        model_save(path, &run->vocabulary, run->best_counts, &run->best, &metadata);
        run->best_unsaved = false;
    }
    if (!diverged(run)) {
        path_in(run, "snapshots.safetensors", path);
        snapshots_save(path, &run->snapshots);
        metadata_add(&metadata, "exact_val_loss", "%a", run->best_loss);
        metadata_add(&metadata, "worse", "%zu", run->worse);
        metadata_add(&metadata, "train_sum", "%a", run->train_sum);
        metadata_add(&metadata, "train_positions", "%zu", run->train_positions);
        path_in(run, "checkpoint.safetensors", path);
        checkpoint_save(path, run->trainer, &metadata);
    }
    buffer_free(&metadata);
    run->last_save = seconds_now();
}

/* ---- resuming --------------------------------------------------------------------------------- */

/* The best model of a run has its options and its text, and is as new as the checkpoint or newer (see save). */
static bool of_one_run(const Run *run, const TensorFile *model, const TensorFile *checkpoint) {
    const char *mine = metadata_find(model, "text_fingerprint");
    bool same = mine && !strcmp(mine, metadata_find(checkpoint, "text_fingerprint"));
    for (const Option *option = run->options; same && option->name; option++) {
        if (!option->decides) continue;
        mine = metadata_find(model, option->name);
        same = mine && !strcmp(mine, metadata_find(checkpoint, option->name));
    }
    return same && metadata_number(model, "best_step", -1) >= (double)run->best_step;
}

/* Options that were not given are the checkpoint's; those that were given must agree with it. */
static void take_options(Option *options, const char *path, const TensorFile *file) {
    for (Option *option = options; option->name; option++) {
        if (!option->decides) continue;
        const char *saved = metadata_find(file, option->name);
        if (!saved) fail("%s: does not say its --%s, so it is no checkpoint; start again without --resume", path, option->name);
        char *value = option_text(option);
        if (option->given && strcmp(value, saved))
            fail("%s: this run has --%s %s, not %s; leave that option out, or start again without --resume", path, option->name, saved, value);
        free(value);
        if (!option_restore(option, saved))
            fail("%s: \"%s\" is no value for --%s; start again without --resume", path, saved,
                 option->name);
    }
}

static void check_text(const Run *run, const char *path, const TensorFile *file) {
    char fingerprint[32];
    snprintf(fingerprint, sizeof fingerprint, "%016llx", (unsigned long long)text_fingerprint(run->text.ids, run->text.length));
    const char *saved = metadata_find(file, "text_fingerprint");
    if (!saved || strcmp(saved, fingerprint))
        fail("%s: this run was on another text than %s is now; give that text, or start again without --resume", path, run->settings.text);
}

static void resume(Run *run, const TensorFile *file) {
    char path[PATH_MAX];
    path_in(run, "checkpoint.safetensors", path);
    checkpoint_restore(path, file, run->trainer, &run->vocabulary);
    const Trainer *trainer = run->trainer;
    size_t batch = trainer->options.batch;
    size_t most = run->split; /* positions since the last evaluation: each epoch has one */
    if (trainer->step < run->split / batch) most = trainer->step * batch;
    run->best_loss = checkpoint_number(path, file, "exact_val_loss", 0, MOST_LOSS);
    run->best_step = checkpoint_count(path, file, "best_step", trainer->step);
    run->worse = checkpoint_count(path, file, "worse", run->settings.evaluations);
    run->train_positions = checkpoint_count(path, file, "train_positions", most);
    double most_sum = MOST_LOSS * (double)run->train_positions;
    run->train_sum = checkpoint_number(path, file, "train_sum", 0, most_sum);
    path_in(run, "model.safetensors", path);
    TensorFile model = tensors_open(entry_of(path), "the best model of the run");
    if (!of_one_run(run, &model, file)) fail("%s: is not of the run to resume; start again without --resume", path);
    tensors_close(&model);
    path_in(run, "loss.csv", path);
    log_free(&run->log);
    if (!log_load(&run->log, path, run->trainer->step)) {
        notice("%s: is missing or damaged; the log begins anew", path);
        log_free(&run->log);
        log_start(&run->log);
    }
    run->base_seconds = run->log.seconds;
    path_in(run, "snapshots.safetensors", path);
    if (snapshots_load(path, &run->snapshots))
        while (run->snapshots.count && run->snapshots.steps[run->snapshots.count - 1] > (int64_t)run->trainer->step) run->snapshots.count--;
}

/* ---- evaluating ------------------------------------------------------------------------------- */

static void copy_model(Model *to, const Model *from) {
    if (!to->embedding) *to = model_allocate(from->rows, from->dim);
    memcpy(to->embedding, from->embedding, from->rows * from->dim * sizeof(float));
    memcpy(to->linear, from->linear, linear_size(from->dim) * sizeof(float));
}

/* A copy in memory is quick to make at each evaluation and is saved from time to time; a large model takes no
   second place in memory but is saved at once. */
static void keep_best(Run *run) {
    const size_t large = (size_t)512 << 20;
    const Model *model = &run->trainer->model;
    if (model->rows * model->dim * sizeof(float) < large) {
        copy_model(&run->best, model);
        if (!run->best_counts)
            run->best_counts = allocate(model->rows, sizeof *run->best_counts, "the best model");
        memcpy(run->best_counts, run->vocabulary.count, model->rows * sizeof *run->best_counts);
        run->best_unsaved = true;
        return;
    }
    char path[PATH_MAX];
    Metadata metadata = describe(run);
    path_in(run, "model.safetensors", path);
    model_save(path, &run->vocabulary, run->vocabulary.count, model, &metadata);
    buffer_free(&metadata);
}

/* The loss on the held-out part, exactly: every character of it with its whole context. Its rows are looked up once when
   they fit in one shard; those of a larger part would take more memory than the model and are looked up each time. */
static double held_out_loss(Run *run) {
    Trainer *trainer = run->trainer;
    size_t end = run->text.length;
    if (end - run->split <= SHARD && !run->held_out.count)
        run->held_out = bags_find(run->team, &run->vocabulary, run->text.ids, run->split, end - run->split);
    if (run->held_out.count) return trainer_score(trainer, &run->held_out);
    double sum = 0;
    for (size_t first = run->split, count; first < end; first += count) {
        count = end - first < SHARD ? end - first : SHARD;
        Bags found = bags_find(run->team, &run->vocabulary, run->text.ids, first, count);
        sum += trainer_score(trainer, &found) * (double)count;
        bags_free(&found);
    }
    return sum / (double)(end - run->split);
}

/* Scores the model on the held-out part, exactly, and keeps it when it is the best so far. */
static void evaluate(Run *run) {
    const Trainer *trainer = run->trainer;
    double loss = held_out_loss(run);
    bool best = loss < run->best_loss;
    if (!isfinite(loss)) run->bad = "the held-out loss";
    else if (best && !model_finite(&trainer->model)) run->bad = "a weight"; /* of a row that is not on there */
    if (run->bad) return;
    if (best) {
        run->best_loss = loss;
        run->best_step = trainer->step;
        run->worse = 0;
        keep_best(run);
    } else {
        run->worse++;
    }
    size_t in_epoch = epoch_steps(run->split, trainer->options.batch);
    double epoch = (double)trainer->step / (double)in_epoch, seconds = run->base_seconds + seconds_now() - run->started;
    double train_loss = run->train_positions ? run->train_sum / (double)run->train_positions : loss;
    size_t characters = trainer->step / in_epoch * run->split + trainer->step % in_epoch * trainer->options.batch;
    double rate = trainer->options.embedding_lr * (1 - (1 - trainer->options.final_lr) * (double)trainer->step / (double)trainer->steps);
    log_add(&run->log, trainer->step, epoch, characters, train_loss, loss, rate, seconds);
    char path[PATH_MAX], number[32];
    path_in(run, "loss.csv", path);
    file_write(entry_of(path), run->log.text, run->log.length);
    run->train_sum = 0;
    run->train_positions = 0;
    if (run->settings.quiet) return;
    progress_clear(&run->progress);
    fprintf(stderr, "epoch %5.2f  %12s characters  train %.4f  held out %.4f%s  %6.2f s\n", epoch, grouped(characters, number), train_loss,
            loss, best ? " *" : "  ", seconds);
}

/* ---- training --------------------------------------------------------------------------------- */

/* The first step after `step` at which something is due: `times` times an epoch. */
static size_t next_due(size_t step, size_t in_epoch, size_t times) {
    size_t epoch = step / in_epoch, within = step % in_epoch, k = 1;
    while (in_epoch * k / times <= within) k++;
    return epoch * in_epoch + in_epoch * k / times;
}

static void say_progress(Run *run, size_t first_step) {
    const Trainer *trainer = run->trainer;
    double seconds = seconds_now() - run->started, done = (double)trainer->step / (double)trainer->steps;
    double rate = (double)((trainer->step - first_step) * trainer->options.batch) / seconds;
    double left = (double)((trainer->steps - trainer->step) * trainer->options.batch) / rate;
    size_t epoch = trainer->step / epoch_steps(run->split, trainer->options.batch) + 1;
    if (epoch > trainer->options.epochs) epoch = trainer->options.epochs; /* behind the last step */
    char line[256], bar[21] = "                    ";
    memset(bar, '#', (size_t)(20 * done));
    snprintf(line, sizeof line, "%3.0f%% [%s] epoch %zu/%zu  %.2f M chars/s  train %.3f  best held out %.3f  %.0f s left", 100 * done, bar,
             epoch, trainer->options.epochs, rate / 1e6, run->train_positions ? run->train_sum / (double)run->train_positions : 0.0, run->best_loss, left);
    progress_line(&run->progress, line);
}

/* Takes steps until the next evaluation, snapshot or progress report. */
static void train_on(Run *run, size_t goal) {
    Trainer *trainer = run->trainer;
    size_t steps = goal - trainer->step, from = trainer->step, few = 1 + (size_t)50000 / trainer->options.batch;
    if (run->progress.live && steps > few) steps = few; /* a live line moves about 20 times a second */
    if (steps > RUN_STEPS) steps = RUN_STEPS;
    size_t done = trainer_run(trainer, steps);
    for (size_t i = 0; i < done; i++) {
        size_t positions = step_positions(trainer, from + i);
        run->train_sum += (double)trainer->losses[i] * (double)positions;
        run->train_positions += positions;
        if (from + i < run->settings.batch_losses) printf("%zu,%.8f\n", from + i + 1, (double)trainer->losses[i]);
    }
}

/* Trains to the end, or until a signal, a loss that is no number, or an epoch without a better model. */
static void train(Run *run) {
    Trainer *trainer = run->trainer;
    size_t in_epoch = epoch_steps(run->split, trainer->options.batch), first_step = trainer->step;
    run->started = run->last_save = seconds_now();
    if (trainer->step == 0 && run->best_loss == INFINITY) {
        if (snapshot_due(&run->snapshots, 0, trainer->steps)) snapshot_take(&run->snapshots, trainer->model.embedding, 0);
        evaluate(run);
    }
    while (trainer->step < trainer->steps && !interrupted && !diverged(run) && run->worse < run->settings.evaluations) {
        size_t evaluation = next_due(trainer->step, in_epoch, run->settings.evaluations), goal = trainer->step + 1;
        while (goal < evaluation && !snapshot_due(&run->snapshots, goal, trainer->steps)) goal++;
        while (trainer->step < goal && !interrupted && !diverged(run)) {
            train_on(run, goal);
            if (run->progress.live) say_progress(run, first_step);
        }
        if (diverged(run) || trainer->step < goal) break;
        if (snapshot_due(&run->snapshots, goal, trainer->steps)) snapshot_take(&run->snapshots, trainer->model.embedding, goal);
        if (goal == evaluation) evaluate(run);
        if (seconds_now() - run->last_save >= run->settings.save_every && !diverged(run)) save(run);
    }
    progress_clear(&run->progress);
}

/* ---- the end ---------------------------------------------------------------------------------- */

typedef struct {
    uint32_t row;
    double distance;
} Move;

/* How far each row of the best model is from its start: the five that moved most. The best model may be from the middle of an epoch. */
static void say_moves(const SavedModel *saved, bool saw_all) {
    Start start = start_of(saved);
    Move most[5] = {{0}};
    size_t moved = 0;
    if (!start.known) return;
    for (uint32_t row = 0; row < saved->model.rows; row++) {
        Move move = {row, distance_moved(saved, &start, row)};
        moved += move.distance > 0;
        for (int i = 0; i < 5; i++) {
            if (move.distance <= most[i].distance) continue;
            Move kept = most[i];
            most[i] = move;
            move = kept;
        }
    }
    char a[32], b[32], name[ROW_NAME];
    fprintf(stderr, "rows        %s moved; %s %s and are bit for bit as they started\n", grouped(moved, a), grouped(saved->model.rows - moved, b),
            saw_all ? "were never on" : "were not on before the best model");
    start_free(&start);
    if (!moved) return;
    fprintf(stderr, "moved most ");
    for (int i = 0; i < 5 && most[i].distance > 0; i++)
        fprintf(stderr, " %s by %.2f (seen %s times)%s", row_name(&saved->vocabulary, most[i].row, name), most[i].distance,
                grouped(saved->vocabulary.count[most[i].row], a), i < 4 ? "," : "");
    fprintf(stderr, "\n");
}

/* What was written, and what can be done with it: commands to be pasted. */
static void say_files(const Run *run, const char *path) {
    char beside[PATH_MAX];
    char *model = shell_word(path), *out = shell_word(run->settings.out);
    fprintf(stderr, "files       %s (the best model)", model);
    static const char *const others[] = {"checkpoint.safetensors", "snapshots.safetensors", "loss.csv"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (i == 1 && !run->snapshots.count) continue; /* rows too long to be kept */
        path_in(run, others[i], beside);
        char *other = shell_word(beside);
        fprintf(stderr, ", %s", other);
        free(other);
    }
    if (!strcmp(run->settings.out, defaults.out)) fprintf(stderr, "\nnext        ./sample \"WTF\"   ./embed   make plot\n");
    else fprintf(stderr, "\nnext        ./sample --model %s \"WTF\"   ./embed --model %s   make plot OUT=%s\n", model, model, out);
    free(model);
    free(out);
}

/* How to go on with a run that was stopped. */
static void say_resume(const Run *run) {
    char *out = shell_word(run->settings.out), *text = shell_word(run->settings.text), done[32], all[32];
    bool elsewhere = strcmp(run->settings.out, defaults.out) != 0;
    notice("stopped after batch %s of %s; go on with: ./train --resume%s%s%s %s", grouped(run->trainer->step, done), grouped(run->trainer->steps, all),
           elsewhere ? " --out " : "", elsewhere ? out : "", run->settings.text[0] == '-' && run->settings.text[1] ? " --" : "", text);
    free(out);
    free(text);
}

static void say_end(const Run *run) {
    char path[PATH_MAX];
    path_in(run, "model.safetensors", path);
    SavedModel saved = model_open(path);
    double loss = run->best_loss;
    fprintf(stderr, "\nheld out    %.4f nats/char = %.4f bits/char, perplexity %.3f", loss, loss / log(2), exp(loss));
    fprintf(stderr, "   (yardsticks: %.3f, %.3f, %.3f)\n", run->yardsticks.uniform, run->yardsticks.unigram, run->yardsticks.conditional);
    if (run->yardsticks.unigram < 0.01)
        fprintf(stderr, "            the training part is one character over and over, or nearly so: there was nothing to tell apart\n");
    else if (loss > run->yardsticks.unigram - 0.01)
        fprintf(stderr, "            no better than the unigram yardstick: what vocabulary told in the training part is no help in the held-out part\n");
    say_moves(&saved, run->best_step >= epoch_steps(run->split, run->trainer->options.batch));
    model_close(&saved);
    say_files(run, path);
}

static int finish(Run *run) {
    const Trainer *trainer = run->trainer;
    const char *kept = run->best_loss < INFINITY ? ", the best model so far is kept" : "";
    if (!diverged(run) || run->best_unsaved) save(run);
    if (trainer->bad_step)
        fail("the loss of batch %zu is not a finite number: training stops%s; start again with a smaller --lr", trainer->bad_step, kept);
    if (run->bad && trainer->step)
        fail("%s after batch %zu is not a finite number: training stops%s; start again with a smaller --lr", run->bad, trainer->step, kept);
    if (run->bad) fail("%s before the first batch is not a finite number: nothing is trained; start from smaller rows (--pretrained, --init-std)", run->bad);
    if (run->settings.quiet) return 0;
    char number[32];
    bool unfinished = trainer->step < trainer->steps;
    if (unfinished && !interrupted)
        fprintf(stderr, "it stopped learning: no better model for %zu evaluations; the best one is of step %s\n", run->worse, grouped(run->best_step, number));
    if (unfinished && interrupted) say_resume(run);
    else say_end(run);
    return 0;
}

int main(int argc, char **argv) {
    Run run = {.settings = defaults, .best_loss = INFINITY};
    Settings *settings = &run.settings;
    RunOptions *options = &settings->run;
    settings->threads = processors() < 4 ? (size_t)processors() : 4; /* a batch of 256 is cut into four parts: more members would wait */
    Option table[] = {
        {GROUP, .name = "Model"},
        {COUNT, "order", 'n', &settings->order, 1, MAX_ORDER, "N", "longest n-gram that has a row; 1: characters only", .decides = true},
        {COUNT, "dim", 'd', &settings->run.dim, 1, MAX_DIM, "D", "numbers in a row", .decides = true},
        {COUNT, "min-count", 'm', &settings->min_count, 1, UINT32_MAX, "N", "how often a string must be seen to have a row", .decides = true},
        {COUNT, "max-rows", 0, &settings->max_rows, 0, 1e9, "N", "at most so many n-grams and phrases: the rarest go", .decides = true},
        {TEXT, "rows", 0, &settings->kinds, 0, 0, "KINDS", "rows beside characters and n-grams: some of phrases,echoes,columns; ngrams: none; all (order 1: none)", .decides = true},
        {GROUP, .name = "Training"},
        {COUNT, "epochs", 'e', &options->epochs, 0, 1e6, "N", "passes through the training part (default 0: 2, or 1 when it has more than 3 million characters)", .decides = true},
        {COUNT, "batch", 'b', &options->batch, 1, 1 << 20, "N", "positions in a batch", .decides = true},
        {REAL, "lr", 'l', &options->embedding_lr, 0, 1e30, "X", "the embedding's learning rate (default 0.1; sgd: 10)", .decides = true},
        {REAL, "linear-lr", 0, &options->linear_lr, 0, 1e30, "X", "the linear layer's learning rate (default 0.03; sgd: 0.5)", .decides = true},
        {REAL, "final-lr", 0, &options->final_lr, 0, 1, "X", "share of both rates that is left at the end: they fall in a line", .decides = true},
        {TEXT, "optimizer", 'o', &settings->rule, 0, 0, "NAME", "adagrad or sgd", .decides = true},
        {REAL, "accumulator", 0, &options->accumulator, 0, 1e30, "X", "scale of Adagrad's initial accumulators of the embedding (default 1 / batch^2; order 1: 0)", .decides = true},
        {REAL, "init-std", 0, &options->deviation, 0, MAX_DEVIATION, "X", "of the characters' rows at the start (default 0.1; order 1: 1)", .decides = true},
        {REAL, "val", 0, &settings->held_out, 0, 0.9, "X", "share of the text that is held out, at its end", .decides = true},
        {COUNT, "seed", 's', &settings->seed, 0, UINT32_MAX, "N", "as torch.manual_seed", .decides = true},
        {COUNT, "threads", 't', &settings->threads, 1, 256, "N", "any number gives the same result (by default as many as there are processors, at most 4)"},
        {COUNT, "evaluations", 0, &settings->evaluations, 1, 1000, "N", "times an epoch that the held-out part is scored; after as many without a better model training stops", .decides = true},
        {GROUP, .name = "As nn.Embedding has them"},
        {TEXT, "pretrained", 0, &settings->pretrained, 0, 0, "FILE", "start from another model's rows, matched by their text", .decides = true},
        {FLAG, "freeze-embedding", 0, &options->freeze_embedding, 0, 1, NULL, "the rows keep what they start with", .decides = true},
        {REAL, "max-norm", 0, &options->max_norm, 0, 1e30, "X", "rows longer than this are shortened when they are used (default 0: never)", .decides = true},
        {TEXT, "norm-type", 0, &settings->norm_type, 0, 0, "P", "the p of that norm, or inf", .decides = true},
        {FLAG, "scale-grad-by-freq", 0, &options->scale_grad_by_freq, 0, 1, NULL, "a row's gradient is divided by its count in the batch", .decides = true},
        {GROUP, .name = "Files and messages"},
        {TEXT, "out", 0, &settings->out, 0, 0, "DIR", "where results go"},
        {FLAG, "resume", 'r', &settings->resume, 0, 1, NULL, "go on from OUT/checkpoint.safetensors, with its options"},
        {REAL, "save-every", 0, &settings->save_every, 0, 1e9, "S", "seconds between saves; the last is at the end"},
        {FLAG, "strict", 0, &settings->strict, 0, 1, NULL, "a character that would be left out is an error"},
        {FLAG, "reference", 0, &options->reference, 0, 1, NULL, "train by model.h's plain loops: the same result, slower"},
        {COUNT, "batch-losses", 0, &settings->batch_losses, 0, 1e15, "N", "print the losses of the first N batches to standard output (default 0)"},
        {FLAG, "quiet", 'q', &settings->quiet, 0, 1, NULL, "say nothing but what goes wrong; Ctrl-C stops without a word, too"},
        {0}};
    set_program_name(argv[0]);
    set_memory_advice("try a smaller --dim, --order, --batch or --max-rows");
    signal(SIGPIPE, SIG_IGN); /* who reads the messages may go: the run goes on */
    run.options = table;
    if (parse_options(argc, argv, table, usage, examples, &settings->text, 1) == 0) wrong_use("name a text file to train on, such as data/text.txt; see --help");
    run.folder = folder_open(settings->out);
    folder_clean(&run.folder);

    TensorFile checkpoint = {0};
    if (settings->resume) {
        char path[PATH_MAX];
        path_in(&run, "checkpoint.safetensors", path);
        checkpoint = tensors_open(entry_of(path), "a checkpoint");
        take_options(table, path, &checkpoint);
    }
    settle(settings);

    run.text = text_read(settings->text, settings->strict);
    if (!settings->quiet) text_notice(&run.text, settings->text);
    run.split = (size_t)((double)run.text.length * (1 - settings->held_out));
    if (run.split < 2 || run.split == run.text.length)
        fail("%s: %zu characters are too few to train on some and hold out %g of them; give a longer text or another --val", settings->text, run.text.length, settings->held_out);
    if (!options->epochs) options->epochs = run.split > 3000000 ? 1 : 2; /* beyond, a second pass learns by heart */
    if (settings->resume) {
        char path[PATH_MAX];
        path_in(&run, "checkpoint.safetensors", path);
        check_text(&run, path, &checkpoint);
    }

    run.team = team_start((int)settings->threads);
    run.yardsticks = yardsticks(run.text.ids, run.split);
    run.vocabulary = vocabulary_list(run.text.ids, run.split, settings->rows);
    if (!settings->quiet) {
        say_characters(&run);
        say_rows(&run);
    }
    if (settings->resume) {
        char path[PATH_MAX];
        path_in(&run, "checkpoint.safetensors", path);
        checkpoint_check(path, &checkpoint, run.vocabulary.rows, options->dim);
    }
    run.trainer = trainer_start(run.team, &run.vocabulary, run.text.ids, run.split, *options, &interrupted);
    run.snapshots = snapshots_start(options->dim);
    log_start(&run.log);
    run.progress.live = isatty(STDERR_FILENO) && !settings->quiet;
    if (settings->pretrained[0] && !settings->resume) model_adopt(&run.trainer->model, &run.vocabulary, settings->pretrained);
    if (settings->resume) resume(&run, &checkpoint);

    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    if (signal(SIGHUP, SIG_IGN) != SIG_IGN) signal(SIGHUP, interrupt); /* the terminal is gone, unless nohup said not to mind */
    train(&run);
    int status = finish(&run);

    tensors_close(&checkpoint);
    options_free(table);
    trainer_end(run.trainer);
    bags_free(&run.held_out);
    vocabulary_free(&run.vocabulary);
    snapshots_free(&run.snapshots);
    log_free(&run.log);
    model_free(&run.best);
    free(run.best_counts);
    team_end(run.team);
    free(run.text.ids);
    folder_close(&run.folder);
    flush_output();
    return status;
}
