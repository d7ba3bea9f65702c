#include "report.h"

#include "fail.h"
#include "format.h"

#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- lines ------------------------------------------------------------------------------------- */

Report report_start(bool quiet) {
    const char *terminal = getenv("TERM");
    bool plain = !terminal || strcmp(terminal, "dumb") == 0;
    return (Report){.quiet = quiet, .live = !quiet && !plain && isatty(STDERR_FILENO)};
}

/* Columns of the terminal; 80 where unknown. */
static size_t terminal_width(void) {
    struct winsize size;
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
}

static void clear_live_line(const Report *report) {
    if (report->live) fprintf(stderr, "\r\033[K");
}

/* The last column stays empty: some terminals begin a new line behind it. */
static void write_live_line(const Report *report, const char *line) {
    clear_live_line(report);
    fprintf(stderr, "%.*s", (int)terminal_width() - 1, line);
}

void report_line(Report *report, const char *format, ...) {
    if (report->quiet) return;
    Buffer line = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_vadd(&line, format, arguments);
    va_end(arguments);
    mask_controls(line.text);
    clear_live_line(report);
    fprintf(stderr, "%s\n", line.text);
    buffer_free(&line);
}

void report_doing(Report *report, const char *what) {
    if (report->live)
        write_live_line(report, what);
    else if (report->large)
        report_line(report, "%s", what);
}

/* ---- before the run ---------------------------------------------------------------------------- */

void report_text(Report *report, const uint8_t *ids, size_t length, size_t split,
                 size_t val_first) {
    size_t counts[CHARACTERS] = {0}, occurring = 0;
    char a[32], b[32], c[32], name[8];
    Buffer visible = {0};
    for (size_t i = 0; i < length; i++) counts[ids[i]]++;
    for (uint8_t id = 0; id < CHARACTERS; id++) {
        if (!counts[id]) continue;
        const char *gap = character_of(id) <= ' ' ? " " : "";
        buffer_add(&visible, "%s%s", gap, character_name(character_of(id), name));
        occurring++;
    }
    grouped(length, a);
    grouped(split, b);
    grouped(length - val_first, c);
    if (split > val_first)
        report_line(report,
                    "text        %s characters, all to train on; val is the loss on the last %s", a,
                    c);
    else
        report_line(report, "text        %s characters: %s to train on, the last %s for validation",
                    a, b, c);
    report_line(report, "characters  %zu of the 100 occur: %s", occurring, visible.text);
    buffer_free(&visible);
}

/* A number of bytes as people read it: 412 KB, 40.2 MB. Returns text [32]. */
static char *sized(size_t bytes, char *text) {
    double megabytes = (double)bytes / 1e6;
    if (megabytes < 0.1)
        snprintf(text, 32, "%.1f KB", megabytes * 1e3);
    else
        snprintf(text, 32, "%.1f MB", megabytes);
    return text;
}

void report_cost(Report *report, const Vocabulary *vocabulary, const Cost *cost) {
    char a[32], b[32], c[32];
    Buffer kinds = {0};
    for (RowKind kind = 0; kind < ROW_KINDS; kind++) {
        uint32_t count = vocabulary->end[kind] - (kind > 0 ? vocabulary->end[kind - 1] : 0);
        const char *comma = kind > 0 ? "," : ":";
        if (count) buffer_add(&kinds, "%s %s %s", comma, grouped(count, a), row_kind_name(kind));
    }
    report_line(report, "rows        %s%s", grouped(vocabulary->rows, a), kinds.text);
    buffer_free(&kinds);
    if (vocabulary->min_count > vocabulary->options.min_count)
        report_line(report,
                    "            --max-rows %s: only strings seen at least %u times have a row",
                    grouped(vocabulary->options.max_rows, a), (unsigned)vocabulary->min_count);
    if (vocabulary->sampled)
        report_line(report, "            listed from %d parts of 1 MB, spread over the text",
                    LIST_PARTS);
    size_t parameters = ((size_t)vocabulary->rows + CHARACTERS) * cost->dim + CHARACTERS;
    report_line(report, "parameters  %s (dim %zu)", grouped(parameters, a), cost->dim);
    report_line(report, "size        model %s, checkpoint %s; in memory about %s",
                sized(cost->model_bytes, a), sized(cost->checkpoint_bytes, b),
                sized(cost->memory_bytes, c));
}

void report_baselines(Report *report, const Baselines *baselines) {
    report_line(report,
                "baselines   %.3f nats/char knows nothing (ln 100), %.3f frequencies of "
                "characters, %.3f of pairs",
                baselines->uniform, baselines->unigram, baselines->bigram);
}

void report_adopted(Report *report, const char *path, size_t adopted, size_t rows, bool linear) {
    char a[32], b[32];
    report_line(report, "start       %s of %s rows%s from %s", grouped(adopted, a),
                grouped(rows, b), linear ? " and the linear layer" : "", path);
}

/* ---- during the run ---------------------------------------------------------------------------- */

void report_evaluation(Report *report, const LogRow *row, bool best) {
    char number[32];
    report_line(report, "epoch %5.2f  %13s characters  train %.4f  val %.4f%s %8.2f s", row->epoch,
                grouped(row->characters, number), row->train_loss, row->val_loss,
                best ? " *" : "  ", row->seconds);
}

void pace_add(Pace *pace, size_t steps, double seconds) {
    if (pace->is_warm) pace->steps += steps;
    if (pace->is_warm) pace->seconds += seconds;
    pace->is_warm = true;
}

static void add_part(Buffer *line, size_t width, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a part to a line when there is room for it. */
static void add_part(Buffer *line, size_t width, const char *format, ...) {
    char part[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(part, sizeof part, format, arguments);
    va_end(arguments);
    if (line->length + strlen(part) <= width) buffer_add(line, "%s", part);
}

static void add_time(Buffer *line, size_t width, double seconds) {
    if (seconds < 600)
        add_part(line, width, "  %.0f s left", seconds);
    else if (seconds < 36000)
        add_part(line, width, "  %.0f min left", seconds / 60);
    else
        add_part(line, width, "  %.0f h left", seconds / 3600);
}

static void add_speed(Buffer *line, size_t width, double speed) {
    char number[32];
    if (speed >= 1e6)
        add_part(line, width, "  %.2f M chars/s", speed / 1e6);
    else
        add_part(line, width, "  %s chars/s", grouped((size_t)speed, number));
}

char *progress_line(const Progress *progress, const Pace *pace, size_t width) {
    static const char full[] = "####################", empty[] = "                    ";
    Buffer line = {0};
    int done = (int)(20 * progress->done);
    bool is_known = pace->steps > 0 && pace->seconds > 0.2;
    double step_seconds = is_known ? pace->seconds / (double)pace->steps : 0;
    add_part(&line, width, "%3.0f%%", 100 * progress->done);
    if (width >= 60) add_part(&line, width, " [%.*s%.*s]", done, full, 20 - done, empty);
    if (is_known)
        add_time(&line, width,
                 progress->steps_left * step_seconds +
                     progress->evaluations_left * pace->evaluation_seconds);
    add_part(&line, width, "  train %.3f", progress->train_loss);
    add_part(&line, width, "  best val %.3f", progress->best_loss);
    add_part(&line, width, "  epoch %zu/%zu", progress->epoch, progress->epochs);
    if (is_known) add_speed(&line, width, (double)progress->batch / step_seconds);
    return line.text;
}

void report_progress(Report *report, const Progress *progress, const Pace *pace) {
    double now = seconds_now();
    if (!report->live || now - report->last < 0.1) return;
    report->last = now;
    char *line = progress_line(progress, pace, terminal_width() - 1);
    write_live_line(report, line);
    free(line);
}

/* ---- after the run ----------------------------------------------------------------------------- */

/* Did the training loss ever rise above what it was before the first step? */
static bool loss_rose(const Log *log) {
    for (size_t i = 1; i < log->count; i++)
        if (log->rows[i].train_loss > log->rows[0].train_loss) return true;
    return false;
}

/* Did it end after few steps, while even the training part was not learned? */
static bool ended_early(const Log *log, double enough) {
    if (log->count == 0) return false;
    const LogRow *last = &log->rows[log->count - 1];
    return last->step < 1000 && last->train_loss > enough;
}

/* Why a loss is no better than the frequencies of characters; NULL when it is better. */
static const char *reason(double val_loss, const Baselines *baselines, const Log *rows) {
    double enough = baselines->unigram - 0.01;
    if (enough < 0) return "the training part is one character over and over, or nearly so";
    if (val_loss < enough) return NULL;
    if (loss_rose(rows))
        return "the learning rate is too high, for the loss rose in training: try a smaller --lr";
    if (ended_early(rows, enough))
        return "too few steps to learn anything: try more --epochs or a smaller --batch";
    return "no better than the frequencies of characters: the end of the text is unlike the rest";
}

void report_result(Report *report, double val_loss, const Baselines *baselines, const Log *rows) {
    const char *why = reason(val_loss, baselines, rows);
    report_line(report, "%s", "");
    report_line(report, "val         %.4f nats/char = %.4f bits/char, perplexity %.3f", val_loss,
                val_loss / log(2), exp(val_loss));
    report_line(report, "            (baselines: %.3f, %.3f, %.3f)", baselines->uniform,
                baselines->unigram, baselines->bigram);
    if (why) report_line(report, "            %s", why);
}

typedef struct {
    uint32_t row;
    double distance;
} Move;

/* Keeps the five furthest moves, the furthest first. */
static void insert_move(Move *furthest, Move move) {
    for (int i = 0; i < 5; i++) {
        if (move.distance <= furthest[i].distance) continue;
        Move next = furthest[i];
        furthest[i] = move;
        move = next;
    }
}

/* start NULL: zero. */
static double distance(const float *row, const float *start, size_t dim) {
    double sum = 0;
    for (size_t d = 0; d < dim; d++) {
        double change = (double)row[d];
        if (start) change -= (double)start[d];
        sum += change * change;
    }
    return sqrt(sum);
}

void report_moves(Report *report, const Vocabulary *vocabulary, const Model *model,
                  const float *start) {
    Move furthest[5] = {{0}};
    size_t moved = 0, dim = model->dim;
    char a[32], b[32], name[ROW_NAME];
    Buffer names = {0};
    for (uint32_t row = 0; row < model->rows && !report->quiet; row++) {
        const float *from = row < CHARACTERS ? start + row * dim : NULL;
        Move move = {row, distance(model->embedding + row * dim, from, dim)};
        insert_move(furthest, move);
        if (move.distance > 0) moved++;
    }
    report_line(report, "rows        %s moved; %s are as they started, bit for bit",
                grouped(moved, a), grouped(model->rows - moved, b));
    for (int i = 0; i < 5 && furthest[i].distance > 0; i++)
        buffer_add(&names, "%s %s by %.2f (seen %s times)", i ? "," : "",
                   row_name(vocabulary, furthest[i].row, name), furthest[i].distance,
                   grouped(vocabulary->count[furthest[i].row], a));
    if (names.length) report_line(report, "moved most %s", names.text);
    buffer_free(&names);
}

void report_file(Report *report, Entry entry, const char *what) {
    struct stat about;
    char size[32];
    char *word = shell_word(entry.path);
    if (fstatat(entry.folder, entry.name, &about, 0) == 0)
        report_line(report, "file        %s (%s, %s)", word, what,
                    sized((size_t)about.st_size, size));
    free(word);
}

/* A few words of the text, from its middle on: the beginning of a line where it has lines, else of a
   word. */
static void find_prompt(const uint8_t *ids, size_t length, char prompt[17]) {
    size_t first = length / 2, count = 0;
    while (first > 0 && character_of(ids[first - 1]) != '\n') first--;
    for (size_t i = first; i < length && count < 16; i++) {
        char c = character_of(ids[i]);
        if (c < ' ') break;
        prompt[count++] = c;
    }
    prompt[count] = '\0';
    char *space = strrchr(prompt, ' ');
    if (count == 16 && space > prompt) *space = '\0';
}

void report_next(Report *report, const char *folder, const char *model, const uint8_t *ids,
                 size_t length) {
    bool is_default = strcmp(folder, "out") == 0;
    char prompt[17];
    find_prompt(ids, length, prompt);
    char *out = shell_word(folder), *path = shell_word(model), *words = shell_word(prompt);
    const char *option = is_default ? "" : " --model ", *variable = is_default ? "" : " OUT=";
    if (is_default) *out = *path = '\0';
    report_line(report, "next        ./sample%s%s %s", option, path, words);
    report_line(report, "            ./embed%s%s", option, path);
    report_line(report, "            make plot%s%s", variable, out);
    free(out);
    free(path);
    free(words);
}

void report_kept(Report *report, const char *folder) {
    char *out = shell_word(folder);
    report_line(report, "the run that was here is kept: mv %s/previous/* %s brings it back", out,
                out);
    free(out);
}

void report_stopped(Report *report, const char *folder, const char *text, size_t step,
                    size_t steps) {
    char a[32], b[32];
    char *out = shell_word(folder), *path = shell_word(text);
    const char *operand = text[0] == '-' && text[1] ? "-- " : "";
    report_line(report, "stopped after batch %s of %s; go on with: ./train --resume --out %s %s%s",
                grouped(step, a), grouped(steps, b), out, operand, path);
    free(out);
    free(path);
}
