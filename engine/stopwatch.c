#include "engine/stopwatch.h"

#include "engine/base/log.h"
#include "engine/base/mem.h"

void stopwatch_start(Stopwatch *watch)
{
    *watch = (Stopwatch){.wall = log_clock(), .cpu = log_cpu()};
}

void stopwatch_lap(Stopwatch *watch, const char *stage, uint64_t rows, uint64_t bytes)
{
    double wall = log_clock(), cpu = log_cpu(), seconds = wall - watch->wall;
    StageTime time = {stage, seconds, cpu - watch->cpu, rows, bytes, mem_peak_bytes()};

    log_progress_end();
    log_line(
        LOG_INFO,
        "stage=%s ms=%.0f cpu_ms=%.0f rows=%llu rows_per_s=%.0f bytes=%llu peak_mib=%.0f",
        stage, 1e3 * time.wall, 1e3 * time.cpu, (unsigned long long)rows,
        seconds > 0 ? (double)rows / seconds : 0.0, (unsigned long long)bytes,
        (double)time.peak_bytes / 1048576.0);
    if (watch->n < MOST_STAGES)
        watch->stages[watch->n++] = time;
    watch->wall = wall;
    watch->cpu = cpu;
}
