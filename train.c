/* train.c: the story of a run, from a text to a model.

       text -> characters -> vocabulary -> bags -> batches -> model -> loss -> files

   Read main first; model.h is where the learning happens. */
#include "model.h"

#include "lib/checkpoint.h"
#include "lib/fail.h"
#include "lib/folder.h"
#include "lib/memory.h"
#include "lib/report.h"
#include "lib/sampling.h"
#include "lib/settings.h"
#include "lib/snapshots.h"
#include "lib/text.h"
#include "lib/trainer.h"
#include "lib/vocabulary.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    Settings settings;
    Report report;
    Folder folder;
    Text text;
    size_t split;     /* characters 0..split-1 are for training, */
    size_t val_first; /* those from here on for validation */
    Team *team;
    Vocabulary vocabulary;
    Bags val; /* the validation part's bags; none when they are found anew each time */
    Baselines baselines;
    Trainer *trainer;
    State state;     /* what the files hold beside */
    bool owns_files; /* the folder holds no file of another run */
    float *start;    /* [100, dim] the characters' rows before the first step */
    Pace pace;
    double started, last_save; /* when training began (before a stop: earlier), and the last save */
    const char *not_finite;    /* what is no finite number, so that the run ends; NULL: nothing */
} Run;

/* The signal that asks for an end; 0: none yet. */
static volatile sig_atomic_t stop_signal;

static void stop(int number) { stop_signal = number; }

/* A signal that was ignored when the program began stays ignored, as nohup wants it. */
static void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGXCPU};
    for (size_t i = 0; i < 4; i++)
        if (signal(signals[i], stop) == SIG_IGN) signal(signals[i], SIG_IGN);
}

/* So that a shell that runs several programs stops, too. */
static void die_of_signal(void) {
    signal(stop_signal, SIG_DFL);
    raise(stop_signal);
}

static bool has_diverged(const Run *run) { return run->trainer->bad_step || run->not_finite; }

/* ---- saving and resuming ----------------------------------------------------------------------- */

/* Before the first file is written: a finished run that is in the folder is kept. */
static void own_files(Run *run) {
    if (!run->owns_files && run_is_finished(&run->folder)) {
        folder_keep(&run->folder);
        report_kept(&run->report, run->folder.path);
    }
    run->owns_files = true;
}

static void save(Run *run) {
    own_files(run);
    report_doing(&run->report, "saving");
    if (!has_diverged(run) && !trainer_finite(run->trainer)) run->not_finite = "a weight";
    state_save(&run->state, run->trainer, &run->folder, has_diverged(run));
    run->last_save = seconds_now();
}

/* Saves the losses at once, so that one can watch them, but never over those of another run. */
static void save_log(const Run *run) {
    if (run->owns_files) log_save(&run->state.log, run->folder.file[LOG]);
}

/* Puts everything where it was when the checkpoint was saved. */
static void resume(Run *run, const TensorFile *checkpoint) {
    const Log *log = &run->state.log;
    state_resume(&run->state, run->trainer, &run->folder, checkpoint);
    if (log->count) run->started -= log->rows[log->count - 1].seconds;
}

/* Starts from another model, where one is named. */
static void adopt(Run *run) {
    const Settings *settings = &run->settings;
    Trainer *trainer = run->trainer;
    bool whole = settings->init[0];
    const char *path = whole ? settings->init : settings->pretrained;
    if (!path[0]) return;
    size_t rows = model_adopt(&trainer->model, &run->vocabulary, path, whole);
    report_adopted(&run->report, path, rows, trainer->model.rows, whole);
}

/* What the files say of the run: its options, its text. */
static Metadata describe(const Run *run) {
    Metadata about = {0};
    char opening[OPENING + 1];
    uint64_t fingerprint = text_fingerprint(run->text.ids, run->text.length);
    for (const Option *option = run->settings.options; option->name; option++) {
        if (!option->decides) continue;
        char *value = option_text(option);
        metadata_add(&about, option->name, "%s", value);
        free(value);
    }
    metadata_add(&about, "text_characters", "%zu", run->text.length);
    metadata_add(&about, "train_characters", "%zu", run->split);
    metadata_add(&about, "text_fingerprint", "%016llx", (unsigned long long)fingerprint);
    find_opening(run->text.ids, run->split, opening);
    metadata_add(&about, "opening", "%s", opening);
    metadata_add(&about, "least_count", "%u", (unsigned)run->vocabulary.min_count);
    metadata_add(&about, "unigram_entropy", "%.6f", run->baselines.unigram);
    metadata_add(&about, "conditional_entropy", "%.6f", run->baselines.bigram);
    return about;
}

/* ---- evaluating -------------------------------------------------------------------------------- */

/* The bags of the validation part are found once when they fit in one shard. Those of a larger part
   would take more memory than the model: they are found each time. */
static void find_val_bags(Run *run) {
    size_t count = run->text.length - run->val_first;
    report_doing(&run->report, "looking up the rows of the validation part");
    if (count <= SHARD)
        run->val = bags_find(run->team, &run->vocabulary, run->text.ids, run->val_first, count);
}

/* The loss on the validation part, exactly: every character of it with its whole context. */
static double val_loss(Run *run) {
    if (run->val.count) return trainer_score(run->trainer, &run->val);
    size_t end = run->text.length;
    double sum = 0;
    for (size_t first = run->val_first, count; first < end; first += count) {
        count = end - first < SHARD ? end - first : SHARD;
        Bags bags = bags_find(run->team, &run->vocabulary, run->text.ids, first, count);
        sum += trainer_score(run->trainer, &bags) * (double)count;
        bags_free(&bags);
    }
    return sum / (double)(end - run->val_first);
}

/* The row of loss.csv of this moment. */
static LogRow log_row(const Run *run, double loss) {
    const RunOptions *options = &run->settings.run;
    const Standing *standing = &run->state.standing;
    size_t step = run->trainer->step, in_epoch = epoch_steps(run->split, options->batch);
    double done = (double)step / (double)run->trainer->steps;
    LogRow row = {
        .step = step, .train_loss = loss, .val_loss = loss, .bits_per_char = loss / log(2)};
    row.epoch = (double)step / (double)in_epoch;
    row.characters = positions_before(run->trainer, step);
    row.lr = options->embedding_lr * (1 - (1 - options->final_lr) * done);
    row.seconds = seconds_now() - run->started;
    if (standing->train_positions)
        row.train_loss = standing->train_sum / (double)standing->train_positions;
    return row;
}

/* Scores the model on the validation part, and keeps it when it is the best so far. */
static void evaluate(Run *run) {
    Standing *standing = &run->state.standing;
    const Model *model = &run->trainer->model;
    report_doing(&run->report, "evaluating");
    double before = seconds_now(), loss = val_loss(run);
    bool best = loss < standing->best_loss;
    if (!isfinite(loss))
        run->not_finite = "the validation loss";
    else if (best && !model_finite(model))
        run->not_finite = "a weight";
    if (run->not_finite) return;
    standing->since_best++;
    if (best) {
        standing->best_loss = loss;
        standing->best_step = run->trainer->step;
        standing->since_best = 0;
        if (model_is_large(model)) own_files(run);
        state_keep_best(&run->state, run->trainer, &run->folder);
    }
    LogRow row = log_row(run, loss);
    log_add(&run->state.log, row);
    save_log(run);
    report_evaluation(&run->report, &row, best);
    standing->train_sum = 0;
    standing->train_positions = 0;
    run->pace.evaluation_seconds = seconds_now() - before;
}

/* ---- training ---------------------------------------------------------------------------------- */

/* The first step after `step` at which something is due that comes `times` times an epoch. */
static size_t next_due(size_t step, size_t in_epoch, size_t times) {
    size_t epoch = step / in_epoch, within = step % in_epoch, k = 1;
    while (in_epoch * k / times <= within) k++;
    return epoch * in_epoch + in_epoch * k / times;
}

static void report_steps(Run *run) {
    const RunOptions *options = &run->settings.run;
    const Standing *standing = &run->state.standing;
    size_t step = run->trainer->step, in_epoch = epoch_steps(run->split, options->batch);
    size_t left = run->trainer->steps - step, epoch = step / in_epoch + 1;
    double evaluations_left = (double)(left * run->settings.evaluations) / (double)in_epoch;
    Progress progress = {
        .epoch = epoch < options->epochs ? epoch : options->epochs,
        .epochs = options->epochs,
        .batch = options->batch,
        .done = (double)step / (double)run->trainer->steps,
        .train_loss = standing->train_sum / (double)standing->train_positions,
        .best_loss = standing->best_loss,
        .steps_left = (double)left,
        .evaluations_left = ceil(evaluations_left),
    };
    report_progress(&run->report, &progress, &run->pace);
}

/* Takes steps up to `goal`, or a few when a live line must move. */
static void take_steps(Run *run, size_t goal) {
    Trainer *trainer = run->trainer;
    Standing *standing = &run->state.standing;
    size_t from = trainer->step, steps = goal - from, few = 1 + 50000 / run->settings.run.batch;
    if (run->report.live && steps > few) steps = few;
    if (steps > RUN_STEPS) steps = RUN_STEPS;
    double before = seconds_now();
    steps = trainer_run(trainer, steps);
    pace_add(&run->pace, steps, seconds_now() - before);
    for (size_t i = 0; i < steps; i++) {
        size_t positions = step_positions(trainer, from + i);
        standing->train_sum += (double)trainer->losses[i] * (double)positions;
        standing->train_positions += positions;
        if (from + i < run->settings.batch_losses)
            printf("%zu,%.8f\n", from + i + 1, (double)trainer->losses[i]);
    }
}

static bool is_over(const Run *run) {
    bool done = run->trainer->step == run->trainer->steps;
    bool learns = run->state.standing.since_best < run->settings.evaluations;
    return done || stop_signal || has_diverged(run) || !learns;
}

/* Before the first step: what chance alone gives. */
static void begin(Run *run) {
    const Trainer *trainer = run->trainer;
    if (snapshot_due(&run->state.snapshots, 0, trainer->steps))
        snapshot_take(&run->state.snapshots, trainer->model.embedding, 0);
    evaluate(run);
}

/* Trains up to the next evaluation or snapshot. */
static void train_on(Run *run) {
    Trainer *trainer = run->trainer;
    Snapshots *snapshots = &run->state.snapshots;
    size_t in_epoch = epoch_steps(run->split, run->settings.run.batch);
    size_t evaluation = next_due(trainer->step, in_epoch, run->settings.evaluations);
    size_t goal = trainer->step + 1;
    while (goal < evaluation && !snapshot_due(snapshots, goal, trainer->steps)) goal++;
    while (trainer->step < goal && !stop_signal && !has_diverged(run)) {
        take_steps(run, goal);
        report_steps(run);
    }
    if (has_diverged(run) || trainer->step < goal) return;
    if (snapshot_due(snapshots, goal, trainer->steps))
        snapshot_take(snapshots, trainer->model.embedding, goal);
    if (goal == evaluation) evaluate(run);
    double unsaved = seconds_now() - run->last_save;
    if (unsaved >= run->settings.save_every && !has_diverged(run)) save(run);
}

/* ---- the end ----------------------------------------------------------------------------------- */

/* Fails with one line when a number of the run is not finite. */
static void require_convergence(const Run *run) {
    size_t bad_step = run->trainer->bad_step, step = run->trainer->step;
    bool has_model = run->state.standing.best_loss < INFINITY;
    const char *kept = has_model ? ", the best model so far is kept" : "";
    if (bad_step)
        fail("the loss of batch %zu is not a finite number: training stops%s; start again with a "
             "smaller --lr",
             bad_step, kept);
    if (run->not_finite && step)
        fail("%s after batch %zu is not a finite number: training stops%s; start again with a "
             "smaller --lr",
             run->not_finite, step, kept);
    if (run->not_finite)
        fail("%s before the first batch is not a finite number: nothing is trained; start from "
             "smaller rows (--pretrained, --set init-std=X)",
             run->not_finite);
}

/* Says what came of the run, and what can be done with it. */
static void summarize(Run *run) {
    Report *report = &run->report;
    const Entry *file = run->folder.file;
    const Standing *standing = &run->state.standing;
    const Model *model =
        run->state.best.model.embedding ? &run->state.best.model : &run->trainer->model;
    if (run->trainer->step < run->trainer->steps)
        report_line(report, "it stopped learning: no better model for %zu evaluations",
                    standing->since_best);
    report_result(report, standing->best_loss, &run->baselines, &run->state.log);
    if (!run->settings.pretrained[0] && !run->settings.init[0])
        report_moves(report, &run->vocabulary, model, run->start);
    report_file(report, file[MODEL], "the best model");
    report_file(report, file[CHECKPOINT], "for --resume");
    report_file(report, file[SNAPSHOTS], "for ./embed report");
    report_file(report, file[LOG], "the losses");
    report_next(report, run->folder.path, file[MODEL].path, run->text.ids, run->split);
}

/* ---- the beginning ----------------------------------------------------------------------------- */

/* Says where training ends and where validation begins: at the end of the text, on another text,
   which is read behind it, or (--val 0) on a part that is trained on, too. */
static void divide_text(Run *run) {
    const Settings *settings = &run->settings;
    Text *text = &run->text;
    size_t length = text->length;
    run->split = run->val_first = (size_t)((double)length * (1 - settings->val));
    if (settings->val_text[0]) {
        Text val = text_read(settings->val_text, settings->strict);
        if (!settings->quiet) text_notice(&val, settings->val_text);
        text->length += val.length;
        text->ids = reallocate(text->ids, text->length, 1, "the text");
        memcpy(text->ids + length, val.ids, val.length);
        free(val.ids);
        run->split = run->val_first = length;
    } else if (settings->val <= 0) {
        run->val_first = length - (length + 9) / 10;
    }
    if (run->split < 2 || run->val_first == text->length)
        fail("%s: %zu characters are too few to train on some and validate on %g of them; give a "
             "longer text or another --val",
             settings->text, length, settings->val);
}

/* What the run will cost. In memory there are the weights, the optimizer's sums and the best model,
   and for each character its bag. */
static Cost cost_of(const Run *run) {
    size_t dim = run->settings.run.dim, rows = run->vocabulary.rows;
    size_t model = model_size(&run->vocabulary, dim);
    size_t sums = (rows + CHARACTERS) * dim * sizeof(float);
    size_t memory = 2 * model + sums + 40 * (run->text.length + rows);
    return (Cost){dim, model, model + sums, memory};
}

/* Finds the rows of the text, and starts the trainer and all that goes with it. */
static void prepare(Run *run, const TensorFile *checkpoint) {
    const Settings *settings = &run->settings;
    Report *report = &run->report;
    const uint8_t *ids = run->text.ids;
    size_t characters_size = CHARACTERS * settings->run.dim * sizeof(float);
    report->large = run->text.length >= 10000000;
    report_text(report, ids, run->text.length, run->split, run->val_first);
    report_doing(report, "listing the rows");
    run->team = team_start((int)settings->threads);
    run->vocabulary = vocabulary_list(ids, run->split, settings->rows);
    run->baselines = baselines_of(ids, run->split);
    Cost cost = cost_of(run);
    report_cost(report, &run->vocabulary, &cost);
    report_baselines(report, &run->baselines);
    run->state.about = describe(run);
    if (settings->resume)
        checkpoint_check(checkpoint, &run->folder, &run->state.about, run->vocabulary.rows,
                         settings->run.dim);
    run->trainer =
        trainer_start(run->team, &run->vocabulary, ids, run->split, settings->run, &stop_signal);
    run->start = allocate(characters_size, 1, "the run");
    memcpy(run->start, run->trainer->model.embedding, characters_size);
    run->state.snapshots = snapshots_start(settings->run.dim);
    find_val_bags(run);
    run->started = run->last_save = seconds_now();
    if (settings->resume)
        resume(run, checkpoint);
    else
        adopt(run);
    report_doing(report, "looking up the rows of the training part");
    report->large = false;
}

static void release(Run *run) {
    trainer_end(run->trainer);
    team_end(run->team);
    state_free(&run->state);
    bags_free(&run->val);
    vocabulary_free(&run->vocabulary);
    free(run->start);
    free(run->text.ids);
    folder_close(&run->folder);
    options_free(run->settings.options);
}

int main(int argc, char **argv) {
    Run run = {.state.standing.best_loss = INFINITY};
    Settings *settings = &run.settings;
    Report *report = &run.report;
    TensorFile checkpoint = {0};
    set_program_name(argv[0]);
    set_memory_advice("try a smaller --dim, --order, --batch or --max-rows");
    signal(SIGPIPE, SIG_IGN); /* the reader of the messages may go: the run goes on */
    settings_read(settings, argc, argv);
    *report = report_start(settings->quiet);

    report_doing(report, "reading the text");
    if (strcmp(settings->text, "-") == 0 || access(settings->text, R_OK) == 0) {
        run.folder = folder_open(settings->out); /* a text that is not there leaves no new folder */
        folder_protect(&run.folder, settings->text);
    }
    run.text = text_read(settings->text, settings->strict);
    if (!settings->quiet) text_notice(&run.text, settings->text);
    if (settings->resume)
        checkpoint = checkpoint_open(run.folder.file[CHECKPOINT], settings->options);
    divide_text(&run);
    settings_complete(settings, run.split);
    prepare(&run, &checkpoint);

    run.owns_files = settings->resume || !folder_used(&run.folder);
    folder_clean(&run.folder);
    catch_signals();
    if (run.trainer->step == 0 && run.state.standing.best_loss == INFINITY) begin(&run);
    while (!is_over(&run)) train_on(&run);
    if (!has_diverged(&run) || run.state.best.unsaved) save(&run);
    require_convergence(&run);

    bool stopped = stop_signal && run.trainer->step < run.trainer->steps;
    if (stopped)
        report_stopped(report, settings->out, settings->text, run.trainer->step,
                       run.trainer->steps);
    else
        summarize(&run);
    tensors_close(&checkpoint);
    release(&run);
    flush_output();
    if (stopped) die_of_signal();
    return 0;
}
