/* seeds FOLDER: writes a fuzzer's first inputs: FOLDER/model (every breach of the rules of safetensors, good models and
   their variations), FOLDER/checkpoint, FOLDER/log, FOLDER/text. */
#include "../../lib/checkpoint.h"
#include "../../lib/fail.h"
#include "../../lib/log.h"
#include "../../lib/snapshots.h"
#include "../unit/breaches.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char text[] =
    "the cat and the dog and the cat sat on the mat and the dog sat on the cat";
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

static void write_run(const char *name, RowOptions rows, RunOptions run, size_t steps) {
    uint8_t ids[sizeof text];
    for (size_t i = 0; i + 1 < sizeof text; i++) ids[i] = (uint8_t)id_of((unsigned char)text[i]);
    Team *team = team_start(1);
    Vocabulary vocabulary = vocabulary_list(ids, sizeof text - 1, rows);
    Trainer *trainer = trainer_start(team, &vocabulary, ids, sizeof text - 1, run, NULL);
    if (steps) trainer_run(trainer, steps);
    Folder folder = {.file = {[MODEL] = entry_of(strdup(place("model", name))),
                              [CHECKPOINT] = entry_of(strdup(place("checkpoint", name))),
                              [SNAPSHOTS] = entry_of(strdup(place("snapshots", name))),
                              [LOG] = entry_of(strdup(place("log", name)))}};
    State state = {.standing = {.best_loss = 3}, .snapshots = snapshots_start(1)};
    metadata_add(&state.about, "order", "%d", rows.order);
    metadata_add(&state.about, "evaluations", "4");
    if (steps) state.standing.train_positions = 8, state.standing.train_sum = 20;
    state_keep_best(&state, trainer, &folder);
    log_add(&state.log, (LogRow){0});
    state_save(&state, trainer, &folder, false);
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
    RunOptions run = {.dim = 1,
                      .batch = 8,
                      .epochs = 3,
                      .seed = 1,
                      .embedding_lr = 0.1,
                      .linear_lr = 0.1,
                      .final_lr = 1,
                      .deviation = 1};
    RowOptions characters = {.order = 1, .min_count = 2, .max_rows = 10}, ngrams = characters,
               all = characters;
    ngrams.order = 3;
    all.order = 4;
    all.max_rows = 60;
    all.phrases = all.columns = true;
    all.echoes = 2;
    all.echo_keys[0] = 3;
    all.echo_keys[1] = ECHO_WORDS + 1;
    write_run("characters", characters, run, 1);
    write_run("ngrams", ngrams, run, 0);
    write_run("ngrams later", ngrams, run, 12);
    write_run("all kinds", all, run, 3);
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
    seed("text", "plain", text, sizeof text - 1);
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
