#include "run.h"

#include "fail.h"

#include <math.h>
#include <stdio.h>

static bool has_diverged(const Run *run) { return run->trainer->bad_step || run->not_finite; }

/* ---- saving and resuming ----------------------------------------------------------------------- */

/* Before the first file is written: a finished run that is in the folder is kept. */
static void own_files(Run *run) {
    if (!run->owns_files && checkpoint_is_finished(&run->folder)) {
        folder_keep(&run->folder);
        report_kept(run);
    }
    run->owns_files = true;
}

/* Saves the losses at once, so that one can watch them, but never over those of another run. */
static void save_log(const Run *run) {
    if (run->owns_files) log_save(&run->state.log, run->folder.file[LOG]);
}

static void save(Run *run) {
    own_files(run);
    report_doing(run, "saving");
    if (!has_diverged(run) && !trainer_finite(run->trainer)) run->not_finite = "a weight";
    state_save(&run->state, run->trainer, &run->folder, has_diverged(run));
    if (has_diverged(run)) save_log(run);
    run->last_save = seconds_now();
}

void run_resume(Run *run, const TensorFile *checkpoint) {
    const Log *log = &run->state.log;
    state_resume(&run->state, run->trainer, &run->folder, checkpoint);
    if (log->count) run->started -= log->rows[log->count - 1].seconds;
}

/* ---- evaluating -------------------------------------------------------------------------------- */

void run_find_val(Run *run) {
    size_t count = run->text.length - run->val_first;
    report_doing(run, "looking up the rows of the validation part");
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
    size_t step = run->trainer->step;
    double done = (double)step / (double)run->trainer->steps, train_loss = loss;
    if (standing->train_positions)
        train_loss = standing->train_sum / (double)standing->train_positions;
    return (LogRow){
        .step = step,
        .epoch = (double)step / (double)epoch_steps(run->split, options->batch),
        .characters = positions_before(run->trainer, step),
        .train_loss = train_loss,
        .val_loss = loss,
        .bits_per_char = loss / log(2),
        .lr = options->embedding_lr * (1 - (1 - options->final_lr) * done),
        .seconds = seconds_now() - run->started,
    };
}

/* Scores the model on the validation part, and keeps it when it is the best so far. */
static void evaluate(Run *run) {
    Standing *standing = &run->state.standing;
    const Model *model = &run->trainer->model;
    report_doing(run, "evaluating");
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
    report_evaluation(run, &row, best);
    standing->train_sum = 0;
    standing->train_positions = 0;
    run->report.evaluation_seconds = seconds_now() - before;
}

/* ---- training ---------------------------------------------------------------------------------- */

/* The first step after `step` at which something is due that comes `times` times an epoch. */
static size_t next_due(size_t step, size_t in_epoch, size_t times) {
    size_t epoch = step / in_epoch, within = step % in_epoch, k = 1;
    while (in_epoch * k / times <= within) k++;
    return epoch * in_epoch + in_epoch * k / times;
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
    double seconds = seconds_now() - before;
    for (size_t i = 0; i < steps; i++) {
        size_t positions = step_positions(trainer, from + i);
        standing->train_sum += (double)trainer->losses[i] * (double)positions;
        standing->train_positions += positions;
        if (from + i < run->settings.batch_losses)
            printf("%zu,%.8f\n", from + i + 1, (double)trainer->losses[i]);
    }
    report_steps(run, steps, seconds);
}

bool run_is_over(const Run *run) {
    bool done = run->trainer->step == run->trainer->steps;
    bool learns = run->state.standing.since_best < run->settings.evaluations;
    return done || *run->trainer->stop || has_diverged(run) || !learns;
}

void run_begin(Run *run) {
    const Trainer *trainer = run->trainer;
    if (snapshot_due(&run->state.snapshots, 0, trainer->steps))
        snapshot_take(&run->state.snapshots, trainer->model.embedding, 0);
    evaluate(run);
}

void run_train(Run *run) {
    Trainer *trainer = run->trainer;
    Snapshots *snapshots = &run->state.snapshots;
    size_t in_epoch = epoch_steps(run->split, run->settings.run.batch);
    size_t evaluation = next_due(trainer->step, in_epoch, run->settings.evaluations);
    size_t goal = trainer->step + 1;
    while (goal < evaluation && !snapshot_due(snapshots, goal, trainer->steps)) goal++;
    while (trainer->step < goal && !*trainer->stop && !has_diverged(run)) take_steps(run, goal);
    if (has_diverged(run) || trainer->step < goal) return;
    if (snapshot_due(snapshots, goal, trainer->steps))
        snapshot_take(snapshots, trainer->model.embedding, goal);
    if (goal == evaluation) evaluate(run);
    double unsaved = seconds_now() - run->last_save;
    if (unsaved >= run->settings.save_every && !has_diverged(run)) save(run);
}

/* ---- the end ----------------------------------------------------------------------------------- */

void run_end(Run *run) {
    const char *kept = "", *advice = "a smaller --lr";
    if (!has_diverged(run) || run->state.best.unsaved) save(run);
    if (!has_diverged(run)) return;
    if (run->state.standing.best_loss < INFINITY)
        kept = ", the best model so far is kept";
    else if (run->not_finite)
        advice = "smaller rows (--pretrained, --set init-std=X)";
    fail("%s after batch %zu is not a finite number: training stops%s; start again with %s",
         run->not_finite ? run->not_finite : "the loss", run->trainer->step, kept, advice);
}
