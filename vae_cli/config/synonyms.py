"""What people call a key or an option in other programs, and what it is here."""

import re

# By what it is here, what it is called elsewhere, in small letters and digits alone. The first that
# the command has is meant: a key, a group, or whole words with their value.
MEANT = {
    "trainer.max_epochs steps=5000": "e epoch epochs numepochs nepochs nbepochs trainepochs"
    " numtrainepochs maxepoch",
    "trainer.max_steps steps": "steps iterations iters niter maxiter maxiterations numsteps"
    " trainsteps",
    "trainer.patience": "earlystopping earlystop earlystoppingpatience",
    "trainer.gradient_clip": "clip gradclip clipgrad clipgradnorm gradientclipval maxgradnorm",
    "trainer.validate_every": "checkvaleverynepoch valevery valinterval evalevery testevery",
    "trainer.log_every": "loginterval logeverynsteps logfreq printevery",
    "trainer.save_every": "saveinterval saveeverynsteps everyntrainsteps checkpointevery ckptevery",
    "trainer.progress": "verbose progressbar enableprogressbar",
    "trainer.progress=false": "quiet silent",
    "trainer.fast_dev_run=true": "debug dryrun smoketest overfitbatches",
    "optimizer.lr lr": "learningrate lrate baselr initlr initiallr lr0 eta stepsize",
    "optimizer.weight_decay": "wd l2",
    "optimizer": "optim opt optimiser optimizername",
    "optimizer/lr_schedule": "scheduler schedule lrscheduler lrschedule lrdecay",
    "data.batch_size batch_size": "b batch bs batchsize minibatch trainbatchsize trainbs"
    " perdevicetrainbatchsize",
    "data": "d ds dataset datasetname datasource",
    "run": "path dir folder",
    "data.root data.path": "path root dir folder datadir dataroot datapath datafolder imagefolder"
    " imagedir",
    "data.size": "imagesize imgsize imsize resolution",
    "data.labels labels": "nlabels numlabels nlabeled nlabelled numlabeled numlabelled labeled",
    "data.validation": "valsplit validationsplit valfraction valsize valratio",
    "data.test": "testsplit testsize testfraction",
    "data.binarize": "binarise binary binarization",
    "kl_schedule.weight": "beta kldweight klweight kllambda klcoef klcoeff kldcoef klbeta betakl"
    " lambdakl wkl kld",
    "kl_schedule.warmup_epochs warmup": "warmup annealing anneal klanneal klannealing klwarmup"
    " annealepochs betawarmup",
    "kl_schedule.warmup_steps": "annealsteps annealingsteps warmupiters",
    "latent_dim": "z zdim zdims nz dimz zsize latent latents latentdims latentsize latentdimension"
    " nlatent numlatents latentspacedim codedim codesize embeddingdim encodingdim bottleneck",
    "network.hidden_dim network.hidden_dims hidden_dims": "h hdim hidden hiddendim hiddensize"
    " hiddenunits nhidden",
    "network.hidden_dims hidden_dims": "layers hiddenlayers layersizes units"
    " widths hiddendims encoderlayers",
    "network.activation": "act nonlinearity nonlin activationfn",
    "network": "net arch architecture backbone networktype",
    "posterior": "flow flowtype q guide posteriortype approximateposterior",
    "lengths posterior.flow_length": "k nflows numflows flows flowlayers flowdepth flowlengths"
    " numtransforms length",
    "likelihood": "loss criterion reconloss recloss reconstructionloss decoderdist obs",
    "likelihood.scale": "sigma std noisestd decoderstd sigmax",
    "seed": "s randomseed rngseed manualseed seedeverything randomstate",
    "resume": "checkpoint ckpt",
    "resume run": "ckptpath checkpointpath resumefrom resumefromcheckpoint load"
    " loadfrom restore pretrained weights",
    "run resume": "run runs model modeldir modelpath",
    "run hydra.run.dir": "rundir rundirs",
    "run_id": "name runname expname experimentname exp tag version",
    "output hydra.run.dir": "o out output to file filename outfile outputfile outdir outputdir"
    " outpath outputpath outputfolder savedir savepath saveto logdir defaultrootdir workdir"
    " resultsdir",
    "objective.samples samples count": "n samples nsamples numsamples mcsamples iwsamples draws"
    " ndraws numdraws",
    "metric metrics": "metric metrics measure",
    "what": "figure figures picture pictures plot plots kind figurename",
    "format": "ext fmt filetype type",
    "accelerator device accelerator.devices": "device",
    "device": "accelerator",
    "accelerator.devices device=gpu": "gpus ngpus numgpus ngpu numdevices devices devicecount",
    "accelerator=gpu device=gpu": "gpu cuda cuda:0 usecuda usegpu",
    "accelerator=cpu device=cpu": "cpu nocuda nogpu usecpu",
    "accelerator=ddp": "distributed ddp",
    "accelerator.precision=16-mixed": "fp16 amp half mixedprecision",
    "accelerator.precision=bf16-mixed": "bf16 bfloat16",
    "accelerator.nodes": "numnodes nnodes",
    # options, alone or of a group where they mean something else in another
    "network=conv": "cnn convnet convolutional conv2d dcgan resnet",
    "network=mlp": "fc dense fullyconnected",
    "model=autoencoder": "ae",
    "model=denoising_autoencoder": "dae",
    "model=contractive_autoencoder": "cae",
    "model=sparse_autoencoder": "sae",
    "model=m2": "ssvae semisupervised",
    "model=ppca": "pca",
    "model=flow": "flowvae nfvae vaenf nf",
    "kl_schedule.weight=4": "betavae bvae",
    "posterior=diagonal": "posterior=gaussian posterior=normal meanfield",
    "prior=standard": "prior=gaussian prior=normal",
    "likelihood=gaussian": "likelihood=normal gauss mse likelihood=l2 meansquarederror",
    "likelihood=bernoulli": "bce binarycrossentropy crossentropy likelihood=binary",
    "kl_schedule=linear": "kl_schedule=warmup kl_schedule=anneal kl_schedule=annealing monotonic",
    "kl_schedule=cyclical": "cyclic",
    "kl_schedule=constant": "kl_schedule=none kl_schedule=null",
    "optimizer/lr_schedule=cosine": "cosineannealing cosineannealinglr",
    "optimizer/lr_schedule=exponential": "exponentiallr exp",
    "optimizer/lr_schedule=multistep": "steplr step multisteplr",
    "optimizer/lr_schedule=constant": "optimizer/lr_schedule=none optimizer/lr_schedule=null",
    "data=cifar10": "cifar",
    "data=fashion_mnist": "fmnist fashion",
    "data=image_folder": "images custom imagefolder",
    "data=array": "numpy npy npz",
    "data=binarized_mnist": "binarymnist staticmnist mnistbinary",
    "launcher=submitit_slurm": "slurm",
    "logger=none": "logger=false logger=null logger=no",
    "logger=tensorboard": "logger=true tb",
    "metric=[]": "metric=none metric=null metric=false",
    "figure=[]": "figure=none figure=null figure=false",
    "analysis=[]": "analysis=none analysis=null analysis=false",
    # values of a key
    "split=validation": "split=val split=dev split=eval",
    "format=markdown": "format=md",
    "format=torch_export": "format=pt format=pt2 format=torch format=pytorch",
    "format=terminal": "format=txt format=text format=table",
    "device=gpu": "device=cuda device=cuda:0",
    "precision=32-true": "precision=32 precision=fp32 precision=float32",
    "precision=16-mixed": "precision=16 precision=fp16 precision=float16 precision=half",
    "precision=bf16-mixed": "precision=bf16 precision=bfloat16",
    "monitor=objective": "monitor=valloss monitor=loss",
    "binarize=dynamic": "binarize=true binarize=stochastic binarize=random",
    "binarize=none": "binarize=false binarize=null",
}  # fmt: skip


def squeezed(word: str) -> str:
    """A word as it is compared: ``Fashion-MNIST`` and ``fashion_mnist`` are one."""
    return re.sub(r"[^a-z0-9:=]", "", word.lower())


def meanings(word: str) -> list[str]:
    """What a word of other programs is here, the likeliest first; none where it is unknown."""
    return BY_WORD.get(squeezed(word), [])


def _by_word() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for targets, words in MEANT.items():
        for word in words.split():
            found.setdefault(squeezed(word), []).extend(targets.split())
    return found


BY_WORD = _by_word()
