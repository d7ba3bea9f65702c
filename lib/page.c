#include "page.h"

#include "export.h"
#include "fail.h"
#include "format.h"
#include "memory.h"
#include "sampling.h"
#include "snapshots.h"
#include "start.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The lines of the page, from page/page.html and its parts; make writes them there. */
static const char *const report_page[] = {
#include "../build/report_page.h"
};

/* What stands in double braces on the page. */
typedef struct {
    const char *name;
    Buffer text;
} Field;

/* The only way of a value into the page: there it is text, between tags or in a quoted attribute.
   Control characters, which HTML does not allow, are written as C writes them. */
static void put_escaped(Buffer *page, const Buffer *text) {
    for (size_t i = 0; i < text->length && text->text[i]; i++) {
        unsigned byte = (unsigned char)text->text[i];
        if (strchr("&<>\"'", (int)byte))
            buffer_add(page, "&#%u;", byte);
        else if (byte != '\n' && byte != '\t' && iscntrl((int)byte))
            buffer_add(page, "\\x%02x", byte);
        else
            buffer_bytes(page, text->text + i, 1);
    }
}

static void put_line(Buffer *page, const char *line, const Field *fields) {
    for (const char *name; (name = strstr(line, "{{")) != NULL; line = strstr(name, "}}") + 2) {
        buffer_bytes(page, line, (size_t)(name - line));
        for (const Field *field = fields; field->name; field++)
            if (!strncmp(name + 2, field->name, strlen(field->name)))
                put_escaped(page, &field->text);
    }
    buffer_add(page, "%s", line);
}

static void describe_sample(const SavedModel *saved, Buffer *sample) {
    enum { LENGTH = 700 };
    Stream *stream = stream_start(&saved->vocabulary);
    Random random = random_seeded(1);
    float logits[LOGITS];
    Sampling sampling = {.temperature = 0.6, .top_p = 1};
    stream_begin(stream, saved);
    for (int i = 0; i < LENGTH && finite_logits(saved, stream, logits); i++) {
        uint8_t id = draw_character(logits, sampling, &random);
        stream_push(stream, id);
        buffer_add(sample, "%c", character_of(id));
    }
    stream_end(stream);
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
static Snapshots take_snapshots(const SavedModel *saved, const float *start, const char *path) {
    size_t size = CHARACTERS * saved->model.dim, count = 0;
    int64_t step = (int64_t)metadata_count(&saved->file, "best_step");
    Snapshots snapshots = snapshots_start(saved->model.dim);
    bool usable = snapshots.capacity && snapshots_load(&snapshots, entry_of(path), &saved->file);
    if (usable && start) usable = !memcmp(snapshots.rows, start, size * sizeof(float));
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
static void describe_numbers(const SavedModel *saved, const float *start,
                             const Snapshots *snapshots, Buffer *json) {
    size_t size = CHARACTERS * saved->model.dim;
    double largest = 0;
    for (size_t i = 0; i < snapshots->count * size; i++)
        largest = fmax(largest, fabs((double)snapshots->rows[i]));
    double unit = largest > 0 ? largest / 999 : 1;
    buffer_add(json, "{\"dim\": %zu, \"unit\": %.9g,\n\"counts\": [", saved->model.dim, unit);
    for (uint32_t c = 0; c < CHARACTERS; c++)
        buffer_add(json, "%s%u", c ? "," : "", (unsigned)saved->vocabulary.count[c]);
    if (start) buffer_add(json, "],\n\"moved\": [");
    for (uint32_t c = 0; start && c < CHARACTERS; c++)
        buffer_add(json, "%s%.6g", c ? "," : "", distance_moved(&saved->model, start, c));
    buffer_add(json, "],\n\"snapshots\": [");
    for (size_t s = 0; s < snapshots->count; s++) {
        long long step = (long long)snapshots->steps[s];
        buffer_add(json, "%s{\"step\": %lld, \"rows\": [", s ? ",\n" : "", step);
        for (size_t i = 0; i < size; i++)
            buffer_add(json, "%s%.0f", i ? "," : "", snapshots->rows[s * size + i] / unit);
        buffer_add(json, "]}");
    }
    buffer_add(json, "]}");
}

void page_write(const SavedModel *saved, const char *run, const char *summary, const char *out) {
    Field fields[] = {{.name = "rows"},   {.name = "val_loss"}, {.name = "summary"},
                      {.name = "sample"}, {.name = "settings"}, {.name = "log"},
                      {.name = "data"},   {.name = NULL}};
    enum { ROWS, VAL_LOSS, SUMMARY, SAMPLE, SETTINGS, LOSSES, DATA };
    char number[32];
    Buffer page = {0}, path = {0};
    float *start = start_of(&saved->file, saved->model.dim);
    buffer_add(&path, "%s/snapshots.safetensors", run);
    Snapshots snapshots = take_snapshots(saved, start, path.text);
    buffer_free(&path);
    buffer_add(&path, "%s/loss.csv", run);
    const char *reason = file_read(entry_of(path.text), &fields[LOSSES].text);
    if (reason && errno && errno != ENOENT) fail("%s: cannot be read: %s", path.text, reason);
    const char *val_loss = metadata_find(&saved->file, "val_loss");
    buffer_add(&fields[ROWS].text, "%s", grouped(saved->vocabulary.rows, number));
    buffer_add(&fields[VAL_LOSS].text, "%s", val_loss ? val_loss : "unknown, in");
    buffer_add(&fields[SUMMARY].text, "%s", summary);
    describe_sample(saved, &fields[SAMPLE].text);
    describe_settings(&saved->file.metadata, &fields[SETTINGS].text);
    describe_numbers(saved, start, &snapshots, &fields[DATA].text);
    for (size_t l = 0; l < sizeof report_page / sizeof *report_page; l++)
        put_line(&page, report_page[l], fields);
    write_output(out, "report.html", &page);
    for (Field *field = fields; field->name; field++) buffer_free(&field->text);
    buffer_free(&page);
    buffer_free(&path);
    snapshots_free(&snapshots);
    free(start);
}
