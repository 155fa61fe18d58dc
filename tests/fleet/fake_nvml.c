/* A driver of our own for tests: two GPUs, the second in MIG mode with two slices, or lost (FAKE_LOST=1).
   It shows how Rota calls NVML, not how NVIDIA's driver behaves. Signatures: NVML API reference. */
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

typedef void *device;
typedef struct { char legacy[16]; unsigned domain, bus, dev, pci_id, subsystem; char bus_id[32]; } pci_info;
typedef struct { unsigned long long total, free, used; } memory;

enum { OK = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, GPU_IS_LOST = 15 };
static int ids[4] = {0, 1, 2, 3}; /* two GPUs, two slices */
static int is_lost(device d) { return *(int *)d == 1 && getenv("FAKE_LOST"); }

int nvmlInitWithFlags(unsigned flags) { return OK; }
int nvmlInit_v2(void) { return OK; }
int nvmlShutdown(void) { return OK; }
const char *nvmlErrorString(int code) { return code == GPU_IS_LOST ? "GPU is lost" : "error"; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return OK; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, device *d) { *d = &ids[index]; return is_lost(*d) ? GPU_IS_LOST : OK; }
int nvmlDeviceGetHandleByUUID(const char *uuid, device *d) {
    int number = atoi(uuid + strlen(uuid) - 1);
    *d = &ids[number];
    return is_lost(*d) ? GPU_IS_LOST : OK;
}
int nvmlDeviceGetPciInfo_v3(device d, pci_info *info) {
    /* the other way round than the index: Rota numbers by bus */
    snprintf(info->bus_id, sizeof info->bus_id, "00000000:%02X:00.0", *(int *)d == 0 ? 0x81 : 0x11);
    return OK;
}
int nvmlDeviceGetUUID(device d, char *uuid, unsigned length) {
    snprintf(uuid, length, *(int *)d < 2 ? "GPU-%d" : "MIG-%d", *(int *)d);
    return OK;
}
int nvmlDeviceGetName(device d, char *name, unsigned length) {
    const char *names[] = {"NVIDIA GeForce RTX 3090", "NVIDIA H100 80GB HBM3", "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
                           "NVIDIA H100 80GB HBM3 MIG 2g.20gb"};
    snprintf(name, length, "%s", names[*(int *)d]);
    return OK;
}
int nvmlDeviceGetMemoryInfo(device d, memory *m) {
    unsigned long long gib[] = {24, 80, 10, 20};
    m->total = m->free = gib[*(int *)d] << 30;
    m->used = 0;
    return is_lost(d) ? GPU_IS_LOST : OK;
}
int nvmlDeviceGetMigMode(device d, unsigned *current, unsigned *pending) {
    if (*(int *)d == 0) return NOT_SUPPORTED;
    *current = *pending = 1;
    return OK;
}
int nvmlDeviceGetMaxMigDeviceCount(device d, unsigned *count) { *count = 7; return OK; }
int nvmlDeviceGetMigDeviceHandleByIndex(device d, unsigned index, device *slice) {
    if (index > 1) return NOT_FOUND;
    *slice = &ids[2 + index];
    return OK;
}
