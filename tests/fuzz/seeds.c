/* seeds FOLDER: writes a fuzzer's first inputs: FOLDER/model (every breach of the rules of
   safetensors, good models), FOLDER/checkpoint, FOLDER/log, FOLDER/text. */
#include "../../lib/checkpoint.h"
#include "../../lib/fail.h"
#include "../../lib/log.h"
#include "../../lib/snapshots.h"
#include "../tiny.h"
#include "../unit/breaches.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *folder;

static char *place(const char *kind, const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    for (char *at = path + strlen(folder) + strlen(kind) + 2; *at; at++)
        if (*at == '/' || *at == ' ') *at = '_';
    return path;
}

static void seed(const char *kind, const char *name, const void *bytes, size_t size) {
    file_write(entry_of(place(kind, name)), bytes, size);
}

/* The four files of a run, after so many steps. */
static void write_run(const char *name, RowOptions rows, size_t steps) {
    static const char *const kinds[] = {
        [MODEL] = "model", [CHECKPOINT] = "checkpoint", [SNAPSHOTS] = "snapshots", [LOG] = "log"};
    uint8_t ids[TINY];
    tiny_ids(ids);
    Team *team = team_start(1);
    Vocabulary vocabulary = vocabulary_list(ids, TINY, rows);
    Trainer *trainer = trainer_start(team, &vocabulary, ids, TINY, tiny_run, NULL);
    if (steps) trainer_run(trainer, steps);
    Folder folder;
    for (int i = 0; i < PARTIAL; i++) folder.file[i] = entry_of(strdup(place("run", kinds[i])));
    State state = {.standing = {.best_loss = 3}, .snapshots = snapshots_start(1)};
    metadata_add(&state.about, "order", "%d", rows.order);
    metadata_add(&state.about, "evaluations", "4");
    state.standing.train_positions = steps ? 8 : 0;
    state.standing.train_sum = steps ? 20 : 0;
    state_keep_best(&state, trainer, &folder);
    log_add(&state.log, (LogRow){0});
    state_save(&state, trainer, &folder, false);
    for (int i = 0; i < PARTIAL; i++) rename(folder.file[i].path, place(kinds[i], name));
    state_free(&state);
    trainer_end(trainer);
    vocabulary_free(&vocabulary);
    team_end(team);
}

int main(int argc, char **argv) {
    set_program_name(argv[0]);
    if (argc != 2) wrong_use("name a folder");
    folder = argv[1];
    mkdir(folder, 0777);
    for (size_t i = 0; i < BREACHES; i++) {
        size_t size;
        uint8_t *bytes = breach_bytes(&breaches[i], &size);
        seed("model", breaches[i].name, bytes, size);
        seed("checkpoint", breaches[i].name, bytes, size);
        free(bytes);
    }
    const RowOptions characters = {.order = 1, .min_count = 2, .max_rows = 10},
                     ngrams = {.order = 3, .min_count = 2, .max_rows = 10};
    write_run("characters", characters, 1);
    write_run("ngrams", ngrams, 0);
    write_run("ngrams later", ngrams, 12);
    write_run("all kinds", tiny_rows, 3);
    Snapshots snapshots = snapshots_start(3);
    float rows[300] = {1, 2, 3};
    snapshot_take(&snapshots, rows, 0);
    snapshot_take(&snapshots, rows, 5);
    TensorFile file = {0};
    Writer writer = {0};
    snapshots_add(&snapshots, &file);
    tensors_prepare(&file, "snapshots");
    tensors_write(&file, &writer, entry_of(place("model", "snapshots")));
    writer_finish(&writer);
    tensors_close(&file);
    snapshots_free(&snapshots);

    Log log = {0};
    Buffer lines = {0};
    for (size_t i = 0; i < 5; i++)
        log_add(&log, (LogRow){300 * i, 1000 * i, 0.25 * (double)i, 3.5, 3.4, 4.9, 0.1, 1.5});
    log_print(&log, true, &lines);
    seed("log", "good", lines.text, lines.length);
    seed("log", "without its last line end", lines.text, lines.length - 1);
    seed("log", "cut", lines.text, lines.length - 10);
    lines.text[lines.length - 1] = '\0';
    seed("log", "NUL at the end", lines.text, lines.length);
    lines.text[70] = ';';
    seed("log", "semicolon", lines.text, lines.length);
    buffer_free(&lines);
    log_free(&log);

    static const char every[] =
        "\3Plain text.\r\n\xe2\x80\x9cQuoted\xe2\x80\x9d \xe2\x80\x94 it\xe2\x80\x99s\xc2\xa0"
        "fine\xe2\x80\xa6 \r \xc3\xa9 \xe2\x80 \xe2";
    seed("text", "look-alikes", every, sizeof every - 1);
    seed("text", "plain", tiny_text, TINY);
    static const char windows[] =
        "\1It\x92s all \x93quoted\x94, caf\xe9 and more of it, so that it is text";
    seed("text", "Windows-1252", windows, sizeof windows - 1);
    static const char utf_16[] = "\2a\0 \0t\0e\0x\0t\0\xe9\0\r\0\n\0\x19\x20\x3d\xd8\0\xde o\0r\0 "
                                 "\0s\0o\0 \0o\0r\0 \0s\0o\0";
    seed("text", "UTF-16", utf_16, sizeof utf_16 - 1);
    static const char marked[] =
        "\0\xfe\xff\0a\0 \0t\0e\0x\0t\x04\x36\0 \0s\0o\0m\0e\0 \0w\0o\0r\0d\0s";
    seed("text", "UTF-16 with a mark", marked, sizeof marked - 1);
    uint8_t bytes[257];
    for (int i = 0; i < 256; i++) bytes[i + 1] = (uint8_t)i;
    bytes[0] = 2;
    seed("text", "all bytes", bytes, sizeof bytes);
    return 0;
}
