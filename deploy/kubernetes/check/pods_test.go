package check_test

import (
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// objects returns what the manifests describe, by file name and number.
func objects(t *testing.T) map[string]runtime.Object {
	t.Helper()
	scheme := runtime.NewScheme()
	add := runtime.NewSchemeBuilder(appsv1.AddToScheme, corev1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme)
	if err := add.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	all := map[string]runtime.Object{}
	for name, manifest := range manifests(t) {
		object, _, err := decoder.Decode(manifest, nil, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[name] = object
	}
	return all
}

// pods returns the pods that the manifests make, by the name of what makes them.
func pods(t *testing.T) map[string]corev1.PodTemplateSpec {
	t.Helper()
	all := map[string]corev1.PodTemplateSpec{}
	for name, object := range objects(t) {
		switch o := object.(type) {
		case *appsv1.Deployment:
			all[o.Name] = o.Spec.Template
			checkSelector(t, name, o.Spec.Selector.MatchLabels, o.Spec.Template.Labels)
		case *appsv1.DaemonSet:
			all[o.Name] = o.Spec.Template
			checkSelector(t, name, o.Spec.Selector.MatchLabels, o.Spec.Template.Labels)
		}
	}
	if len(all) != 3 {
		t.Fatalf("%d kinds of pods, want 3", len(all))
	}
	return all
}

func checkSelector(t *testing.T, name string, selector, pod map[string]string) {
	t.Helper()
	if len(selector) == 0 || !labels.SelectorFromSet(selector).Matches(labels.Set(pod)) {
		t.Errorf("%s: the selector %v doesn't select its pods %v", name, selector, pod)
	}
}

func containers(pod corev1.PodTemplateSpec) []corev1.Container {
	return append(slices.Clone(pod.Spec.InitContainers), pod.Spec.Containers...)
}

// TestContainersAreRestricted checks what the Pod Security Standards call restricted, and more.
func TestContainersAreRestricted(t *testing.T) {
	for name, pod := range pods(t) {
		s := pod.Spec.SecurityContext
		if s == nil || !is(s.RunAsNonRoot) || s.RunAsUser == nil || *s.RunAsUser == 0 || s.SeccompProfile == nil ||
			s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: security context %v", name, s)
		}
		if pod.Spec.AutomountServiceAccountToken == nil || *pod.Spec.AutomountServiceAccountToken {
			t.Errorf("%s has the credentials of a service account", name)
		}
		if pod.Spec.HostNetwork || pod.Spec.HostPID || pod.Spec.HostIPC {
			t.Errorf("%s uses the host's namespaces", name)
		}
		for _, c := range containers(pod) {
			s := c.SecurityContext
			if s == nil || !is(s.ReadOnlyRootFilesystem) || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation ||
				s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 {
				t.Errorf("%s, %s: security context %v", name, c.Name, s)
			}
			if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
				t.Errorf("%s, %s: resources %v", name, c.Name, c.Resources)
			}
			if strings.HasSuffix(c.Image, ":latest") || !strings.Contains(c.Image, ":") {
				t.Errorf("%s, %s: image %s", name, c.Name, c.Image)
			}
		}
	}
}

func is(b *bool) bool { return b != nil && *b }

// TestSecretsAreFiles checks that what is secret comes from a Secret that there is, into a file or into the variable of
// a public part of it, and that followers have no credentials.
func TestSecretsAreFiles(t *testing.T) {
	keys := map[string]map[string]string{}
	for _, object := range objects(t) {
		if secret, ok := object.(*corev1.Secret); ok {
			keys[secret.Name] = secret.StringData
		}
	}
	for name, pod := range pods(t) {
		mounted := map[string]string{} // secret by volume
		for _, volume := range pod.Spec.Volumes {
			if volume.Secret != nil {
				mounted[volume.Name] = volume.Secret.SecretName
			}
		}
		for _, c := range containers(pod) {
			files := map[string]bool{}
			for _, mount := range c.VolumeMounts {
				secret := keys[mounted[mount.Name]]
				if mounted[mount.Name] != "" && (secret == nil || !mount.ReadOnly) {
					t.Errorf("%s, %s: volume %s", name, c.Name, mount.Name)
				}
				for key := range secret {
					files[mount.MountPath+"/"+key] = true
				}
			}
			checkEnv(t, name, c, keys, files)
		}
	}
	if keys["shsession-follower"]["client-secret"] != "" || len(keys["shsession-follower"]) != 2 {
		t.Error("followers have credentials")
	}
}

func checkEnv(t *testing.T, name string, c corev1.Container, keys map[string]map[string]string, files map[string]bool) {
	t.Helper()
	for _, env := range c.Env {
		switch {
		case strings.HasSuffix(env.Name, "_FILE"):
			if !files[env.Value] {
				t.Errorf("%s, %s: %s is %s, which isn't there", name, c.Name, env.Name, env.Value)
			}
		case env.Name == "SH_CLIENT_ID":
			ref := env.ValueFrom.SecretKeyRef
			if keys[ref.Name][ref.Key] == "" {
				t.Errorf("%s, %s: %s comes from %s in %s, which isn't there", name, c.Name, env.Name, ref.Key, ref.Name)
			}
		default:
			t.Errorf("%s, %s: the variable %s", name, c.Name, env.Name)
		}
	}
}

// TestProbes checks that each probe is answered by something.
func TestProbes(t *testing.T) {
	for name, pod := range pods(t) {
		for _, c := range containers(pod) {
			if c.Name == "worker" {
				continue
			}
			for path, probe := range map[string]*corev1.Probe{"/healthz": c.LivenessProbe, "/readyz": c.ReadinessProbe} {
				if probe == nil || probe.HTTPGet == nil || probe.HTTPGet.Path != path || probe.HTTPGet.Port != intstr.FromString("metrics") {
					t.Errorf("%s, %s: probe of %s: %v", name, c.Name, path, probe)
				}
			}
			if len(c.Ports) != 1 || c.Ports[0].Name != "metrics" || !slices.Contains(c.Args, "--metrics=0.0.0.0:9464") ||
				c.Ports[0].ContainerPort != 9464 {
				t.Errorf("%s, %s: ports %v with %v", name, c.Name, c.Ports, c.Args)
			}
		}
	}
}

// TestSharedMemory checks that workers have the mirror's shared memory, and are the same user.
func TestSharedMemory(t *testing.T) {
	all := pods(t)
	for _, name := range []string{"workers", "shsession-mirror"} {
		pod := all[name]
		i := slices.IndexFunc(pod.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == "shared-memory" })
		if i < 0 {
			t.Fatalf("%s: no volume", name)
		}
		empty, host := pod.Spec.Volumes[i].EmptyDir, pod.Spec.Volumes[i].HostPath
		switch {
		case name == "workers" && (empty == nil || empty.Medium != corev1.StorageMediumMemory || empty.SizeLimit == nil):
			t.Errorf("%s: %v", name, pod.Spec.Volumes[i])
		case name != "workers" && (host == nil || host.Path != "/dev/shm"):
			t.Errorf("%s: %v", name, pod.Spec.Volumes[i])
		}
		for _, c := range containers(pod) {
			if !slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool {
				return m.Name == "shared-memory" && m.MountPath == "/dev/shm" && !m.ReadOnly
			}) {
				t.Errorf("%s, %s has another /dev/shm", name, c.Name)
			}
			if c.SecurityContext.RunAsUser != nil {
				t.Errorf("%s, %s is another user than its pod", name, c.Name)
			}
		}
	}
}

// TestSharersTakeTurns checks that a rollout, or a node that is drained, leaves a sharer.
func TestSharersTakeTurns(t *testing.T) {
	sharer := pods(t)["shsession-sharer"]
	budgets := 0
	for _, object := range objects(t) {
		switch o := object.(type) {
		case *appsv1.Deployment:
			if *o.Spec.Replicas < 2 || o.Spec.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
				t.Errorf("%d replicas, strategy %v", *o.Spec.Replicas, o.Spec.Strategy)
			}
		case *policyv1.PodDisruptionBudget:
			budgets++
			checkSelector(t, o.Name, o.Spec.Selector.MatchLabels, sharer.Labels)
		}
	}
	if budgets != 1 {
		t.Errorf("%d disruption budgets", budgets)
	}
}

// TestSharersReachRedis checks that a policy lets the sharers out to the ports of all that their arguments may name.
func TestSharersReachRedis(t *testing.T) {
	sharer := pods(t)["shsession-sharer"]
	policies := 0
	for _, object := range objects(t) {
		policy, ok := object.(*networkingv1.NetworkPolicy)
		if !ok {
			continue
		}
		policies++
		checkSelector(t, policy.Name, policy.Spec.PodSelector.MatchLabels, sharer.Labels)
		open := map[int]bool{}
		for _, rule := range policy.Spec.Egress {
			for _, port := range rule.Ports {
				open[port.Port.IntValue()] = true
			}
		}
		for _, port := range []int{53, 443, 6379, 26379} {
			if !open[port] {
				t.Errorf("%s lets nobody out to port %d", policy.Name, port)
			}
		}
	}
	if policies != 1 {
		t.Errorf("%d network policies", policies)
	}
}
