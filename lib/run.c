#include "run.h"

#include "fail.h"

#include <math.h>
#include <stdio.h>

/* ---- saving ---- */

/* Before the first file is written: a finished run that is in the folder is kept. */
static void own_files(Run *run) {
    if (!run->owns_files && checkpoint_is_finished(&run->folder)) {
        folder_keep(&run->folder);
        report_kept(run);
    }
    run->owns_files = true;
}

static void save(Run *run) {
    own_files(run);
    report_doing(run, "saving");
    if (!run->not_finite && !trainer_finite(run->trainer)) run->not_finite = "a weight";
    state_save(&run->state, run->trainer, &run->folder, run->not_finite);
    run->last_save = seconds_now();
}

/* ---- evaluating ---- */

/* The loss on the validation part, exactly: every character of it with its whole context. The bags
   of a part that is larger than a shard would take more memory than the model: they are found at
   each evaluation. */
static double val_loss(Run *run) {
    if (run->val.count) return trainer_score(run->trainer, &run->val);
    size_t end = run->text.length;
    double sum = 0;
    for (size_t first = run->val_first, count; first < end; first += count) {
        count = smaller(end - first, SHARD);
        Bags bags = bags_find(run->team, &run->vocabulary, run->text.ids, first, count);
        sum += trainer_score(run->trainer, &bags) * (double)count;
        bags_free(&bags);
    }
    return sum / (double)(end - run->val_first);
}

/* The row of loss.csv of this moment. */
static LogRow log_row(const Run *run, double loss) {
    const RunOptions *options = &run->settings.run;
    const State *state = &run->state;
    size_t step = run->trainer->step;
    double done = (double)step / (double)run->trainer->steps, train_loss = loss;
    if (state->train_positions) train_loss = state->train_sum / (double)state->train_positions;
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
    State *state = &run->state;
    const Model *model = &run->trainer->model;
    report_doing(run, "evaluating");
    double before = seconds_now(), loss = val_loss(run);
    bool best = loss < state->best_loss;
    if (!isfinite(loss))
        run->not_finite = "the validation loss";
    else if (best && !model_finite(model))
        run->not_finite = "a weight";
    if (run->not_finite) return;
    state->since_best++;
    if (best) {
        state->best_loss = loss;
        state->best_step = run->trainer->step;
        state->since_best = 0;
        if (model_is_large(model)) own_files(run);
        state_keep_best(&run->state, run->trainer, &run->folder);
    }
    LogRow row = log_row(run, loss);
    log_add(&run->state.log, row);
    /* at once, so that one can watch the losses, but never over those of another run */
    if (run->owns_files) log_save(&run->state.log, run->folder.file[LOG]);
    report_evaluation(run, &row, best);
    state->train_sum = 0;
    state->train_positions = 0;
    run->report.evaluation_seconds = seconds_now() - before;
}

/* ---- training ---- */

/* Is this step one of those that part an epoch into `evaluations`? */
static bool evaluation_due(const Run *run, size_t step) {
    size_t in_epoch = epoch_steps(run->split, run->settings.run.batch);
    size_t times = run->settings.evaluations, within = step % in_epoch;
    size_t part = (within * times + in_epoch - 1) / in_epoch;
    return in_epoch * part / times == within;
}

static bool is_snapshot_due(const Run *run, size_t step) {
    return snapshot_due(&run->state.snapshots, step, run->trainer->steps);
}

static void look(Run *run) {
    const Trainer *trainer = run->trainer;
    if (is_snapshot_due(run, trainer->step))
        snapshot_take(&run->state.snapshots, trainer->model.embedding, trainer->step);
    if (evaluation_due(run, trainer->step)) evaluate(run);
}

/* Takes steps up to one after which something is due, or a few when a live line must move; returns
   how many. */
static size_t take_steps(Run *run) {
    Trainer *trainer = run->trainer;
    State *state = &run->state;
    size_t from = trainer->step, goal = from + 1, most = RUN_STEPS;
    if (run->report.live) most = smaller(most, 1 + 50000 / run->settings.run.batch);
    while (goal - from < most && !evaluation_due(run, goal) && !is_snapshot_due(run, goal)) goal++;
    double before = seconds_now();
    size_t steps = trainer_run(trainer, goal - from);
    double seconds = seconds_now() - before;
    for (size_t i = 0; i < steps; i++) {
        size_t positions = step_positions(trainer, from + i);
        state->train_sum += (double)trainer->losses[i] * (double)positions;
        state->train_positions += positions;
        if (from + i < run->settings.batch_losses)
            printf("%zu,%.8f\n", from + i + 1, (double)trainer->losses[i]);
    }
    if (trainer->bad_loss) run->not_finite = "the loss";
    report_steps(run, steps, seconds);
    return steps;
}

/* Has it taken all its steps, or is there a signal, a number that is not finite, or an epoch
   without a better model? */
static bool is_over(const Run *run) {
    bool done = run->trainer->step == run->trainer->steps;
    bool learns = run->state.since_best < run->settings.evaluations;
    return done || *run->trainer->stop || run->not_finite || !learns;
}

static _Noreturn void refuse_numbers(const Run *run) {
    const char *kept = "", *advice = "a smaller --lr";
    if (run->state.best_loss < INFINITY)
        kept = ", the best model so far is kept";
    else
        advice = "smaller rows (--pretrained, --set init-std=X)";
    fail("%s after batch %zu is not a finite number: training stops%s; start again with %s",
         run->not_finite, run->trainer->step, kept, advice);
}

void run_train(Run *run) {
    size_t count = run->text.length - run->val_first;
    report_doing(run, "looking up the rows of the validation part");
    if (count <= SHARD)
        run->val = bags_find(run->team, &run->vocabulary, run->text.ids, run->val_first, count);
    report_doing(run, "looking up the rows of the training part");
    run->report.large = false;
    if (run->trainer->step == 0 && run->state.best_loss == INFINITY) look(run);
    while (!is_over(run)) {
        if (take_steps(run) && !run->not_finite) look(run);
        bool due = seconds_now() - run->last_save >= run->settings.save_every;
        if (due && !run->not_finite) save(run);
    }
    if (!run->not_finite || run->state.best.unsaved) save(run);
    if (run->not_finite) refuse_numbers(run);
}
