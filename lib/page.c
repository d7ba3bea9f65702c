#include "page.h"

#include "export.h"
#include "fail.h"
#include "format.h"
#include "memory.h"
#include "ranking.h"
#include "sampling.h"
#include "snapshots.h"
#include "start.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The lines of page/report.html; make writes them there. */
static const char *const report_page[] = {
#include "../build/report_page.h"
};

/* What stands in double braces on the page. */
typedef enum { ROWS, VAL_LOSS, SUMMARY, SAMPLE, SETTINGS, LOSSES, DATA, FIELDS } Field;
static const char *const field_names[FIELDS] = {"rows",     "val_loss", "summary", "sample",
                                                "settings", "log",      "data"};

/* The only way of a value into the page: there it is text, between tags or in a quoted attribute.
   Control characters, which HTML does not allow, are written as C writes them. */
static void put_escaped(Buffer *page, const char *text) {
    for (; *text; text++) {
        unsigned byte = (unsigned char)*text;
        if (strchr("&<>\"'", *text))
            buffer_add(page, "&#%u;", byte);
        else if (byte != '\n' && byte != '\t' && iscntrl((int)byte))
            buffer_add(page, "\\x%02x", byte);
        else
            buffer_bytes(page, text, 1);
    }
}

static void put_line(Buffer *page, const char *line, const Buffer *values) {
    for (const char *name; (name = strstr(line, "{{")) != NULL; line = strstr(name, "}}") + 2) {
        buffer_bytes(page, line, (size_t)(name - line));
        name += 2;
        for (int f = 0; f < FIELDS; f++) {
            size_t length = strlen(field_names[f]);
            bool named = !strncmp(name, field_names[f], length) && name[length] == '}';
            if (named && values[f].text) put_escaped(page, values[f].text);
        }
    }
    buffer_add(page, "%s", line);
}

static void describe_sample(const SavedModel *saved, Buffer *sample) {
    enum { LENGTH = 700 };
    Stream *stream = stream_start(&saved->vocabulary);
    Random random = random_seeded(1);
    float logits[LOGITS];
    Allowed allowed = seen_characters(&saved->vocabulary);
    Sampling sampling = {.temperature = 0.6, .top_p = 1};
    stream_begin(stream, saved);
    for (int i = 0; i < LENGTH; i++) {
        if (!finite_logits(saved, stream, logits)) break;
        uint8_t id = draw_character(logits, &allowed, sampling, &random);
        stream_push(stream, id);
        buffer_add(sample, "%c", character_of(id));
    }
    stream_end(stream);
}

/* loss.csv as it is, nothing where there is none. */
static void read_log(const char *path, Buffer *log) {
    struct stat about;
    if (stat(path, &about) || !S_ISREG(about.st_mode)) return;
    char part[4096];
    size_t length = 0;
    FILE *file = fopen(path, "r");
    while (file && (length = fread(part, 1, sizeof part, file)) > 0)
        buffer_bytes(log, part, length);
    if (!file || ferror(file)) fail("%s: cannot be read: %s", path, strerror(errno));
    fclose(file);
}

/* A line for each setting. */
static void describe_settings(const Metadata *metadata, Buffer *settings) {
    const char *key = NULL;
    while ((key = metadata_next(metadata, key)) != NULL) {
        buffer_add(settings, "%-20s ", key);
        for (const char *c = metadata_value(key); *c; c++)
            buffer_add(settings, *c == '\n' ? "\\n" : "%c", *c);
        buffer_add(settings, "\n");
    }
}

/* The snapshots up to the saved model's step, and its own rows as the last. Snapshots of another
   run, whose first rows are not this run's start, are left out. */
static Snapshots take_snapshots(const SavedModel *saved, const Start *start, const char *path) {
    size_t size = CHARACTERS * saved->model.dim, count = 0;
    int64_t step = (int64_t)metadata_count(&saved->file, "best_step");
    Snapshots snapshots = snapshots_start(saved->model.dim);
    bool usable = snapshots.capacity && snapshots_load(&snapshots, entry_of(path), &saved->file);
    if (usable && start->known)
        usable = !memcmp(snapshots.rows, start->model.embedding, size * sizeof(float));
    while (usable && count + 1 < MAX_SNAPSHOTS && count < snapshots.count &&
           snapshots.steps[count] < step)
        count++;
    snapshots.rows = reallocate(snapshots.rows, (count + 1) * size, sizeof(float), "the page");
    memcpy(snapshots.rows + count * size, saved->model.embedding, size * sizeof(float));
    snapshots.steps[count] = step;
    snapshots.count = count + 1;
    return snapshots;
}

/* The numbers for the page's script, as JSON. Rows are whole numbers of a unit. */
static void describe_numbers(const SavedModel *saved, const Start *start,
                             const Snapshots *snapshots, Buffer *json) {
    uint32_t rows[CHARACTERS];
    Scored moves[CHARACTERS];
    size_t dim = saved->model.dim, size = CHARACTERS * dim, count = characters_seen(saved, rows);
    double largest = 0;
    for (size_t i = 0; i < snapshots->count * size; i++)
        largest = fmax(largest, fabs((double)snapshots->rows[i]));
    double unit = largest > 0 ? largest / 999 : 1;
    buffer_add(json, "{\"dim\": %zu, \"unit\": %.9g,\n", dim, unit);
    if (start->known) buffer_add(json, "\"still\": %zu,\n", rank_moves(saved, start, moves));
    buffer_add(json, "\"characters\": [");
    for (size_t i = 0; i < count; i++) {
        unsigned seen = saved->vocabulary.count[rows[i]];
        buffer_add(json, "%s{\"id\": %u, \"count\": %u", i ? ",\n" : "", (unsigned)rows[i], seen);
        if (start->known)
            buffer_add(json, ", \"moved\": %.6g", distance_moved(saved, start, rows[i]));
        buffer_add(json, "}");
    }
    buffer_add(json, "],\n\"snapshots\": [");
    for (size_t s = 0; s < snapshots->count; s++) {
        const float *table = snapshots->rows + s * size;
        buffer_add(json, "%s{\"step\": %lld, \"rows\": [", s ? ",\n" : "",
                   (long long)snapshots->steps[s]);
        for (size_t i = 0; i < count * dim; i++)
            buffer_add(json, "%s%.0f", i ? "," : "", table[rows[i / dim] * dim + i % dim] / unit);
        buffer_add(json, "]}");
    }
    buffer_add(json, "]}");
}

void page_write(const SavedModel *saved, const char *run, const char *summary, const char *out) {
    char number[32];
    Buffer values[FIELDS] = {0}, page = {0}, log_path = {0}, snapshots_path = {0};
    buffer_add(&log_path, "%s/loss.csv", run);
    buffer_add(&snapshots_path, "%s/snapshots.safetensors", run);
    Start start = start_of(saved);
    Snapshots snapshots = take_snapshots(saved, &start, snapshots_path.text);
    const char *val_loss = metadata_find(&saved->file, "val_loss");
    read_log(log_path.text, &values[LOSSES]);
    buffer_add(&values[ROWS], "%s", grouped(saved->vocabulary.rows, number));
    buffer_add(&values[VAL_LOSS], "%s", val_loss ? val_loss : "unknown, in");
    buffer_add(&values[SUMMARY], "%s", summary);
    describe_sample(saved, &values[SAMPLE]);
    describe_settings(&saved->file.metadata, &values[SETTINGS]);
    describe_numbers(saved, &start, &snapshots, &values[DATA]);
    for (size_t l = 0; l < sizeof report_page / sizeof *report_page; l++)
        put_line(&page, report_page[l], values);
    write_output(out, "report.html", &page);
    for (int f = 0; f < FIELDS; f++) buffer_free(&values[f]);
    buffer_free(&page);
    buffer_free(&log_path);
    buffer_free(&snapshots_path);
    snapshots_free(&snapshots);
    start_free(&start);
}
