/* faults.c: runs the programs again and again and makes each call to the system fail in turn (shim.c), or ends them there, or
   kills them at random moments; after each run looks at what is left.

   faults SHIM PROGRAMS FOLDER faults STRIDE   every STRIDE-th place of each call (1: every place), each way to fail
   faults SHIM PROGRAMS FOLDER deaths STRIDE   the end before and behind each file call of a run, and within each write
   faults SHIM PROGRAMS FOLDER kills COUNT     kill -9 at random instants

   SHIM is the library's file, or - for programs that have it built in; PROGRAMS the folder of train, sample and embed. */
#define _GNU_SOURCE
#include "../../lib/log.h"
#include "../../lib/safetensors.h"
#include "../check.h"
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *shim, *programs, *folder;
static FaultPage *page;
static char page_number[16];
static char said[65536], printed[65536]; /* on standard error and output by the latest run */

/* ---- files ------------------------------------------------------------------------------------ */

static char *in(const char *directory, const char *name) {
    static char path[8][4096];
    static int next;
    char *result = path[next++ % 8];
    snprintf(result, 4096, "%.3000s/%.1000s", directory, name);
    return result;
}

typedef struct {
    uint8_t *bytes;
    size_t size;
} Bytes;

static Bytes bytes_of(const char *path) {
    Bytes result = {NULL, 0};
    struct stat about;
    int file = open(path, O_RDONLY);
    if (file < 0 || fstat(file, &about)) return result;
    result.size = (size_t)about.st_size;
    result.bytes = malloc(result.size + 1);
    for (size_t at = 0; at < result.size;) {
        ssize_t got = read(file, result.bytes + at, result.size - at);
        if (got <= 0) break;
        at += (size_t)got;
    }
    close(file);
    result.bytes[result.size] = '\0';
    return result;
}

static void put(const char *path, Bytes bytes) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || write(file, bytes.bytes, bytes.size) != (ssize_t)bytes.size) abort();
    close(file);
}

static bool same_bytes(const char *path, Bytes wanted) {
    Bytes found = bytes_of(path);
    bool same = found.size == wanted.size &&
                (!found.size || !memcmp(found.bytes, wanted.bytes, found.size));
    free(found.bytes);
    return same;
}

static const char *const saved[] = {"model.safetensors", "checkpoint.safetensors",
                                    "snapshots.safetensors", "loss.csv"};
enum { SAVED = 4 };

typedef struct {
    Bytes file[SAVED];
} Files;

static Files folder_read(const char *directory) {
    Files result;
    for (int i = 0; i < SAVED; i++) result.file[i] = bytes_of(in(directory, saved[i]));
    return result;
}

/* Empties the directory and fills it. */
static void folder_write(const char *directory, const Files *content) {
    mkdir(directory, 0777);
    for (int i = 0; i < SAVED; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.partial", saved[i]);
        unlink(in(directory, name));
        unlink(in(directory, saved[i]));
        if (content && content->file[i].bytes) put(in(directory, saved[i]), content->file[i]);
    }
}

/* Is a temporary file there? */
static bool left_over(const char *directory) {
    bool any = false;
    for (int i = 0; i < SAVED; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.partial", saved[i]);
        any |= !access(in(directory, name), F_OK);
    }
    return any;
}

/* The first reason why a file of the directory is not whole; NULL when all are that are there. */
static const char *torn(const char *directory) {
    static char why[4200];
    for (int i = 0; i < 3; i++) {
        Bytes bytes = bytes_of(in(directory, saved[i]));
        const char *reason;
        TensorFile file;
        if (!bytes.bytes) continue;
        reason = tensors_parse(&file, bytes.bytes, bytes.size);
        if (!reason) {
            for (size_t t = 0; t < file.tensor_count; t++) {
                const Tensor *tensor = &file.tensors[t];
                for (size_t f = 0;
                     !strcmp(tensor->dtype, "F32") && f < (tensor->end - tensor->begin) / 4; f++) {
                    float value;
                    memcpy(&value, (const uint8_t *)tensor->data + 4 * f, 4);
                    if (!isfinite(value)) reason = "it holds a number that is not finite";
                }
            }
            tensors_close(&file);
        }
        free(bytes.bytes);
        if (!reason) continue;
        snprintf(why, sizeof why, "%s: %s", saved[i], reason);
        return why;
    }
    Log rows;
    bool good =
        access(in(directory, saved[3]), F_OK) || log_load(&rows, entry_of(in(directory, saved[3])));
    return good ? NULL : "loss.csv is not whole";
}

/* ---- running ---------------------------------------------------------------------------------- */

typedef struct {
    const char *call, *kind; /* NULL: nothing fails */
    unsigned at;
    double kill_after; /* seconds; below 0: not */
} Fault;

static const Fault none = {NULL, NULL, 0, -1};

static void drain(int end, char *text, size_t *length, size_t room) {
    char rest[4096];
    ssize_t got = *length + 1 < room ? read(end, text + *length, room - 1 - *length)
                                     : read(end, rest, sizeof rest);
    if (got > 0 && *length + 1 < room) *length += (size_t)got;
}

/* Runs a program with these arguments; returns its status, 1000 + the signal that ended it. */
static int run(const char *const *arguments, Fault fault) {
    int error_file = open(in(folder, "stderr"), O_RDWR | O_CREAT | O_TRUNC, 0666),
        output_file = open(in(folder, "stdout"), O_RDWR | O_CREAT | O_TRUNC, 0666);
    memset(page, 0, sizeof *page);
    pid_t child = fork();
    if (child == 0) {
        char at[16], program[4096];
        dup2(output_file, STDOUT_FILENO);
        dup2(error_file, STDERR_FILENO);
        close(output_file);
        close(error_file);
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, STDIN_FILENO);
        close(nothing);
        snprintf(program, sizeof program, "%s/%s", programs, arguments[0]);
        snprintf(at, sizeof at, "%u", fault.at);
        setenv("FAULT_CALL", fault.call ? fault.call : "none", 1);
        setenv("FAULT_KIND", fault.kind ? fault.kind : "none", 1);
        setenv("FAULT_AT", at, 1);
        setenv("FAULT_PAGE", page_number, 1);
        if (strcmp(shim, "-")) setenv("LD_PRELOAD", shim, 1);
        execv(program, (char *const *)arguments);
        _exit(127);
    }
    if (fault.kill_after >= 0) {
        struct timespec pause = {
            (time_t)fault.kill_after,
            (long)((fault.kill_after - (double)(time_t)fault.kill_after) * 1e9)};
        nanosleep(&pause, NULL);
        kill(child, SIGKILL);
    }
    int status;
    waitpid(child, &status, 0);
    size_t length = 0, printed_length = 0;
    lseek(error_file, 0, SEEK_SET);
    lseek(output_file, 0, SEEK_SET);
    drain(error_file, said, &length, sizeof said);
    drain(output_file, printed, &printed_length, sizeof printed);
    said[length] = printed[printed_length] = '\0';
    close(error_file);
    close(output_file);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static size_t lines(const char *text) {
    size_t count = 0;
    for (; *text; text++) count += *text == '\n';
    return count;
}

/* ---- what is run ------------------------------------------------------------------------------ */

static char text_path[4096], work[4096], model_path[4096];
#define RUN_OPTIONS                                                                                \
    "-q", "-t", "2", "--set", "evaluations=2", "--dim", "2", "--order", "3", "-b", "64", "-e",     \
        "1", "--save-every", "0", "--out", work
static const char *const train_new[] = {"train", RUN_OPTIONS, "-s", "1", text_path, NULL};
static const char *const train_resume[] = {"train", RUN_OPTIONS, "--resume", text_path, NULL};
static const char *const train_adopt[] = {"train",        RUN_OPTIONS, "-s",      "1",
                                          "--pretrained", model_path,  text_path, NULL};
static const char *const train_said[] = {"train",
                                         "-t",
                                         "2",
                                         "--set",
                                         "evaluations=2",
                                         "--dim",
                                         "2",
                                         "--order",
                                         "3",
                                         "-b",
                                         "64",
                                         "-e",
                                         "1",
                                         "--save-every",
                                         "0",
                                         "--out",
                                         work,
                                         "-s",
                                         "1",
                                         "--set",
                                         "batch-losses=3",
                                         text_path,
                                         NULL};
static const char *const sample[] = {"sample",  "-s",       "1",    "-n", "40",
                                     "--model", model_path, "The ", NULL};
static const char *const sample_next[] = {"sample", "--next", "--model", model_path, "The ", NULL};
static const char *const sample_score[] = {"sample",  "--score",  text_path,
                                           "--model", model_path, NULL};
static const char *const embed[] = {"embed", "--model", model_path, NULL};
static const char *const embed_export[] = {"embed", "--model", model_path, "--out", work,
                                           "-n",    "150",     "export",   NULL};
static const char *const embed_report[] = {"embed", "--model", model_path, "--out",
                                           work,    "report",  NULL};

typedef struct {
    const char *name;
    const char *const *arguments;
    bool trains, resumes, prints, exports;
    Files before,
        after; /* the folder of a run that trains, and the end of one that nothing disturbs */
    char *output;
} Scenario;

static Scenario scenarios[] = {
    {.name = "train", train_new, .trains = true},
    {.name = "train --resume", train_resume, .trains = true, .resumes = true},
    {.name = "train --pretrained", train_adopt, .trains = true},
    {.name = "train, with messages", train_said, .trains = true, .prints = true},
    {.name = "sample", sample, .prints = true},
    {.name = "sample --next", sample_next, .prints = true},
    {.name = "sample --score", sample_score, .prints = true},
    {.name = "embed", embed, .prints = true},
    {.name = "embed export", embed_export, .prints = true, .exports = true},
    {.name = "embed report", embed_report, .prints = true, .exports = true},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* The seconds of a log are never the same. */
static void drop_log(Files *content) { content->file[3].size = 0; }

static void prepare(void) {
    char path[4096];
    snprintf(work, sizeof work, "%s/run", folder);
    snprintf(text_path, sizeof text_path, "%s/text", folder);
    snprintf(model_path, sizeof model_path, "%s/model.safetensors", folder);
    Bytes text = bytes_of("data/text.txt");
    text.size = text.size < 1000 ? text.size : 1000;
    put(text_path, text);
    /* an older run, of another seed, and one of this seed that was stopped on its way */
    static const char *const old_run[] = {"train", RUN_OPTIONS, "-s", "2", text_path, NULL};
    folder_write(work, NULL);
    if (run(old_run, none)) check(false, "an undisturbed run: %s", said);
    unsigned old_calls = page->calls[FAULT_MEMORY];
    Files old = folder_read(work);
    put(model_path, old.file[0]);
    put(in(folder, saved[2]), old.file[2]); /* embed report reads what is beside the model */
    put(in(folder, saved[3]), old.file[3]);
    folder_write(work, NULL);
    Fault stop = none;
    stop.kind = "die";
    stop.call =
        "rename"; /* loss.csv of the start; then four for each evaluation: loss.csv, model, snapshots, checkpoint */
    stop.at = 7;
    if (!strcmp(
            shim,
            "-")) { /* built in: memory only; the last quarter comes after the first checkpoint */
        stop.call = "memory";
        stop.at = old_calls * 3 / 4;
    }
    if (run(train_new, stop) != FAULT_DIED) check(false, "a run that ends on its way: %s", said);
    Files half = folder_read(work);
    if (!half.file[1].bytes) check(false, "a run that ends on its way leaves a checkpoint");
    for (int i = 0; i < SCENARIOS; i++) {
        Scenario *scenario = &scenarios[i];
        if (access(in(programs, scenario->arguments[0]), X_OK)) {
            scenario->name = NULL;
            continue;
        }
        scenario->before = scenario->resumes ? half : old;
        folder_write(work, &scenario->before);
        snprintf(path, sizeof path, "%s", scenario->name);
        if (run(scenario->arguments, none)) check(false, "%s, undisturbed: %s", path, said);
        scenario->after = folder_read(work);
        drop_log(&scenario->after);
        scenario->output = strdup(printed);
    }
}

/* What is wrong after a run that a fault met; NULL when nothing is. must_succeed: such a fault is no reason to give up. */
static const char *trouble(const Scenario *scenario, int status, bool must_succeed) {
    static char why[70000];
    if (status >= 1000)
        return snprintf(why, sizeof why, "it crashed with signal %d", status - 1000), why;
    if (status != 0 && status != 1)
        return snprintf(why, sizeof why, "status %d: %s", status, said), why;
    if (must_succeed && status) return snprintf(why, sizeof why, "it gave up: %s", said), why;
    bool quiet = scenario->arguments != train_said;
    if (status == 1 && (!lines(said) || (quiet && lines(said) > 1)))
        return snprintf(why, sizeof why, "it says %zu lines: %s", lines(said), said), why;
    if (status == 0 && scenario->prints && strcmp(printed, scenario->output))
        return "it printed something else";
    if (!scenario->trains) return NULL;
    const char *reason = torn(work);
    if (reason) return reason;
    for (int i = 0; i < SAVED; i++)
        if (scenario->before.file[i].bytes && access(in(work, saved[i]), F_OK))
            return snprintf(why, sizeof why, "%s, which was there before, is gone", saved[i]), why;
    for (int i = 0; i < 3 && status == 0; i++)
        if (!same_bytes(in(work, saved[i]), scenario->after.file[i]))
            return snprintf(why, sizeof why, "%s is not that of an undisturbed run", saved[i]), why;
    bool partly = status == 1 && strstr(said, " files are new"); /* the others wait for --resume */
    if (left_over(work) && !partly) return "a temporary file is left";
    if ((scenario->resumes && status == 1) || partly) {
        char first[1000];
        snprintf(first, sizeof first, "%.900s", said);
        if (run(scenario->arguments, none))
            return snprintf(why, sizeof why, "resuming after \"%s\" says: %s", first, said), why;
        for (int i = 0; i < 3; i++)
            if (!same_bytes(in(work, saved[i]), scenario->after.file[i]))
                return snprintf(why, sizeof why, "resumed after \"%s\", %s is another", first,
                                saved[i]),
                       why;
        if (left_over(work)) return "a temporary file is left by the run after it";
    }
    return NULL;
}

/* Each file that is saved: opened, written, synced, closed, renamed, and its folder synced. */
static void test_order(void) {
    folder_write(work, NULL);
    if (run(train_new, none)) check(false, "an undisturbed run: %s", said);
    /* o of the folder, o w... for each file, f c for each, r for each, f c of the folder */
    size_t saves = 0, wrong = 0;
    for (const char *at = page->order; (at = strstr(at, "oow"));) {
        size_t begun = 0, synced = 0, renamed = 0;
        for (at++; !strncmp(at, "ow", 2); begun++)
            for (at++; *at == 'w';) at++;
        for (; !strncmp(at, "fc", 2); synced++) at += 2;
        for (; *at == 'r'; renamed++) at++;
        wrong += begun != synced || begun != renamed || strncmp(at, "fc", 2) != 0;
        saves += renamed;
    }
    check(
        saves > 8 && !wrong && page->file_calls < sizeof page->order,
        "%zu files saved in a run: each written, synced, renamed, its folder synced, in this order",
        saves);
}

static void test_faults(unsigned stride) {
    static const struct {
        const char *call, *kinds[6];
        bool must_succeed[6];
    } faults[] = {{"open", {"EIO", "ENOSPC", "EINTR", "EMFILE"}, {0}},
                  {"read", {"EIO", "EINTR", "short"}, {false, true, true}},
                  {"write", {"ENOSPC", "EIO", "EINTR", "short"}, {false, false, true, true}},
                  {"fsync", {"EIO", "ENOSPC", "EINTR", "EINVAL"}, {false, false, true, true}},
                  {"rename", {"EIO", "ENOSPC"}, {0}},
                  {"close", {"EIO", "ENOSPC", "EINTR"}, {false, false, true}},
                  {"mmap", {"ENOMEM"}, {0}},
                  {"memory", {"ENOMEM"}, {0}},
                  {"thread", {"EAGAIN"}, {true}},
                  {"fopen", {"EIO", "ENOMEM"}, {true, true}},
                  {"fstat", {"EIO"}, {0}},
                  {"flock", {"ENOLCK"}, {0}},
                  {"fgets", {"EIO"}, {true}},
                  {"chmod", {"EIO"}, {0}},
                  {"mkdir", {"ENOSPC"}, {0}}};
    size_t all = 0;
    for (int s = 0; s < SCENARIOS; s++) {
        Scenario *scenario = &scenarios[s];
        size_t tried = 0, survived = 0, wrong = 0;
        char first_trouble[3000] = "";
        if (!scenario->name) continue;
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
            for (int k = 0; k < 6 && faults[f].kinds[k]; k++) {
                if (!strcmp(shim, "-") && strcmp(faults[f].call, "memory"))
                    continue; /* built in: memory only */
                for (unsigned at = 1 + (unsigned)k % stride;; at += stride) {
                    if (scenario->trains) folder_write(work, &scenario->before);
                    Fault fault = {faults[f].call, faults[f].kinds[k], at, -1};
                    int status = run(scenario->arguments, fault);
                    if (!page->hit) {
                        const char *why = trouble(scenario, status, true);
                        if (why && !wrong++)
                            snprintf(first_trouble, sizeof first_trouble, "undisturbed: %.2900s",
                                     why);
                        break;
                    }
                    tried++;
                    survived += status == 0;
                    bool must_succeed = faults[f].must_succeed[k] &&
                                        !(scenario->exports && !strcmp(fault.call, "fopen"));
                    const char *why = trouble(scenario, status, must_succeed);
                    if (why && !wrong++)
                        snprintf(first_trouble, sizeof first_trouble,
                                 "%s number %u fails with %s: %.2900s", fault.call, at, fault.kind,
                                 why);
                }
            }
        all += tried;
        if (wrong)
            check(false, "faults, %s: %zu of %zu places are wrong, such as: %s", scenario->name,
                  wrong, tried, first_trouble);
        else
            check(tried > 0,
                  "faults, %s: %zu places tried, %zu of them made no difference, the others ended "
                  "in a line and status 1",
                  scenario->name, tried, survived);
    }
    printf("note faults: %zu places tried in all: one in %u of the calls of each kind, with every "
           "error of that kind\n",
           all, stride);
}

/* ---- deaths ----------------------------------------------------------------------------------- */

/* Goes on from whatever is there until the run has ended: what is wrong then, NULL when nothing is. */
static const char *go_on(const Scenario *scenario) {
    static char why[70000];
    bool state = !access(in(work, saved[1]), F_OK);
    int status = run(state ? train_resume : train_new, none);
    if (status) return snprintf(why, sizeof why, "going on: status %d: %s", status, said), why;
    for (int i = 0; i < 3; i++)
        if (!same_bytes(in(work, saved[i]), scenario->after.file[i]))
            return snprintf(why, sizeof why, "%s is not that of a run that was never stopped",
                            saved[i]),
                   why;
    return left_over(work) ? "what the run that died left over is still there" : NULL;
}

static void test_deaths(unsigned stride) {
    static const char *const kinds[] = {"die", "die-after", "torn"};
    Scenario *scenario = &scenarios[0];
    size_t tried = 0, wrong = 0;
    char first[3000] = "";
    for (
        int beside = 0; beside < 2;
        beside++) { /* in an empty folder; then in that of another run, whose files must stay or go whole */
        for (int k = 0; k < 3; k++) {
            for (unsigned at = 1 + (unsigned)k % stride;; at += stride) {
                folder_write(work, beside ? &scenario->before : NULL);
                Fault fault = {"file", kinds[k], at, -1};
                int status = run(train_new, fault);
                if (!page->hit) break;
                tried++;
                const char *why = status == FAULT_DIED ? torn(work) : "it did not end there";
                if (beside) {
                    for (int i = 0; i < 2 && !why; i++)
                        if (access(in(work, saved[i]), F_OK))
                            why = "a file of the run before is gone";
                    if (!why && run(train_new, none))
                        why = said; /* a new run works there, whatever the other left */
                    if (!why && left_over(work))
                        why = "what the run that died left over is still there";
                } else if (!why) {
                    why = go_on(scenario);
                }
                if (why && !wrong++)
                    snprintf(first, sizeof first, "%s file call %u: %.2900s", kinds[k], at, why);
            }
        }
    }
    if (wrong)
        check(false, "death at every file call: %zu of %zu are wrong, such as: %s", wrong, tried,
              first);
    else
        check(tried > 0,
              "death at file calls of a run: %zu tried (before, behind, within a write): files "
              "whole, resumed to the same bytes",
              tried);
}

static double uniform(void) { return (double)random() / 2147483648.0; }

static void test_kills(unsigned count) {
    Scenario *scenario = &scenarios[0];
    size_t wrong = 0, killed = 0, finished = 0, resumed = 0;
    char first[3000] = "";
    srandom(1);
    struct timespec before, after;
    folder_write(work, NULL);
    clock_gettime(CLOCK_MONOTONIC, &before);
    run(train_new, none);
    clock_gettime(CLOCK_MONOTONIC, &after);
    double whole =
        (double)(after.tv_sec - before.tv_sec) + 1e-9 * (double)(after.tv_nsec - before.tv_nsec);
    folder_write(work, NULL);
    while (killed < count) {
        Fault fault = none;
        fault.kill_after = uniform() * 1.2 * whole;
        bool state = !access(in(work, saved[1]), F_OK);
        int status = run(state ? train_resume : train_new, fault);
        const char *why = NULL;
        if (status == 1000 + SIGKILL)
            killed++, resumed += state;
        else if (status == 0)
            finished++;
        else
            why = said;
        if (!why) why = torn(work);
        if (!why && (status == 0 || uniform() < 0.3)) { /* some are killed again on their way on */
            why = go_on(scenario);
            folder_write(work, NULL);
        }
        if (why) {
            if (!wrong++)
                snprintf(first, sizeof first, "killed after %.6f s: %.2900s", fault.kill_after,
                         why);
            folder_write(work, NULL);
        }
    }
    if (wrong)
        check(false, "kill -9: %zu of %zu are wrong, such as: %s", wrong, killed, first);
    else
        check(killed > 0,
              "kill -9 at %zu random instants of runs of %.0f ms (%zu of them already resumed): "
              "files whole, resumed to the same bytes",
              killed, 1000 * whole, resumed);
}

int main(int argc, char **argv) {
    if (argc != 6) return 2;
    shim = argv[1];
    programs = argv[2];
    folder = argv[3];
    unsigned number = (unsigned)atoi(argv[5]);
    mkdir(folder, 0777);
    int file = open(in(folder, "page"), O_RDWR | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || ftruncate(file, sizeof *page)) return 2;
    page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (page == MAP_FAILED || !number) return 2;
    snprintf(page_number, sizeof page_number, "%d", file);
    prepare();
    unsigned calls = 0;
    run(sample, none);
    for (int i = 0; i < FAULT_CALLS; i++) calls += page->calls[i];
    if (!calls) {
        printf("skip faults: the shim is not in force here\n");
        return 0;
    }
    if (!strcmp(argv[4], "faults") && strcmp(shim, "-")) test_order();
    if (!strcmp(argv[4], "faults"))
        test_faults(number);
    else if (!strcmp(argv[4], "deaths"))
        test_deaths(number);
    else if (!strcmp(argv[4], "kills"))
        test_kills(number);
    else
        return 2;
    return 0;
}
